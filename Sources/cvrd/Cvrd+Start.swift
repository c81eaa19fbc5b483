import Glibc
import Isolation
import Logging
import ServiceLifecycle
import Supervision
import UnixSignals
import YAMLConfiguration

extension Cvrd {
    /// Runs until stopped; returns the exit code.
    static func start(_ box: BoxConfiguration, files: ConfigurationFiles) async -> Int32 {
        prepareProcess()
        LoggingSystem.bootstrap { _ in LineLogHandler(hasPriority: getenv("JOURNAL_STREAM") != nil) }
        let logger = Logger(label: "cvrd")
        do {
            guard try InstanceLock.take(Places(box)) else {
                complain("another cvrd runs with \(box.runtimePath); stop it first")
                return 73
            }
        } catch {
            complain("\(error)")
            return 70
        }
        let signals = await UnixSignalsSequence(trapping: SignalService.trapped)
        let supervisor = Supervisor(
            box, files: files,
            surroundings: Supervisor.Surroundings(
                version: version, programs: .beside(ownPath()) { access($0, X_OK) == 0 },
                credentialsDirectory: getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) }, logger: logger))
        // Ended in reverse: the supervisor by itself, then the socket, then what systemd and signals are told and tell.
        let admin = AdminService(supervisor, version: version)
        let services: [any Service] = [
            SignalService(supervisor, signals: signals), SystemdService(supervisor), admin,
            SupervisorService(supervisor, after: admin),
        ]
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
                logger: logger))
        do {
            try await group.run()
            return 0
        } catch {
            logger.critical("cvrd cannot go on: \(error)")
            return 70
        }
    }

    private static func prepareProcess() {
        OwnMemory.seal()
        OwnDescriptors.raise()
        // Children are waited for one by one, by pidfd; an inherited SIG_IGN would lose how they ended.
        signal(SIGCHLD, SIG_DFL)
        signal(SIGPIPE, SIG_IGN)
    }

    private static func ownPath() -> String? {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        guard count > 0 else { return nil }
        return String(decoding: path.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
