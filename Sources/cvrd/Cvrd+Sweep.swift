import Supervision
import YAMLConfiguration

extension Cvrd {
    /// Ends what an earlier cvrd of this box left; returns the exit code.
    static func sweep(_ files: ConfigurationFiles) async -> Int32 {
        let places = Places(files.directories())
        do {
            guard try InstanceLock.take(places) else {
                complain("a cvrd runs with \(places.runtime) and would restart what is swept; stop it first")
                return 73
            }
        } catch {
            complain("\(error)")
            return 70
        }
        let left = await Sweep(places).run()
        guard !left.isEmpty else { return 0 }
        let pids = left.map(String.init).joined(separator: ", ")
        complain("not even SIGKILL ends \(pids): check the disk that they wait for (dmesg, smartctl)")
        return 1
    }
}
