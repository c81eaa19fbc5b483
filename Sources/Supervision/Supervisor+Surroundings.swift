import Glibc
package import Logging
package import Recording
import Systemd

extension Supervisor {
    /// What a start needs that is not in the configuration.
    package struct Surroundings: Sendable {
        var version: String
        var programs: Programs
        var credentialsDirectory: String?
        var logger: Logger
        let systemd = NotifySocket()
        /// This host's name, as events of media graphs tell it.
        let host = Self.hostName()
        /// How much recording must be seen before a camera's bit rate is known.
        var ratePatience: TimeSpan
        /// How long cameras wait for media graphs at a start: their names may be instances'.
        var graphPatience: TimeSpan
        /// How often windows that are over are asked for.
        var gateRound: TimeSpan
        /// How long nobody may say what became of a window that is over.
        var windowPatience: TimeSpan
        /// How long the end waits for a disk that is to take what was told last.
        var lastWrites: TimeSpan
        /// How long the sender of a message waits for that disk: less than cvr-gateway's own 10 s for a broker's.
        var messagePatience: TimeSpan

        package init(
            version: String, programs: Programs, credentialsDirectory: String?, logger: Logger,
            ratePatience: TimeSpan = .seconds(10), graphPatience: TimeSpan = .seconds(2),
            gateRound: TimeSpan = .seconds(5), windowPatience: TimeSpan = .seconds(30),
            lastWrites: TimeSpan = .seconds(5), messagePatience: TimeSpan = .seconds(8)
        ) {
            self.version = version
            self.programs = programs
            self.credentialsDirectory = credentialsDirectory
            self.logger = logger
            self.ratePatience = ratePatience
            self.graphPatience = graphPatience
            self.gateRound = gateRound
            self.windowPatience = windowPatience
            self.lastWrites = lastWrites
            self.messagePatience = messagePatience
        }

        private static func hostName() -> String {
            var name = [CChar](repeating: 0, count: 256)
            guard gethostname(&name, name.count - 1) == 0 else { return "" }
            return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }
}
