import CLinux
import Confinement
import Foundation

/// How cvr-gateway shuts itself in: its run directory, the name service and authorities, and nothing else of the box.
package struct GatewaySandbox: Sendable {
    private let names: [UInt64]
    /// For `status`.
    package let text: String

    /// To be called on the process's only thread.
    package static func close(run: String) -> GatewaySandbox {
        // The log's clock is set up while /etc/localtime can be read.
        tzset()
        let sandbox = Sandbox.close(files: files(run: run), calls: .gateway(pid: getpid()))
        return GatewaySandbox(names: NameService.identity(), text: sandbox.text)
    }

    static func files(run: String) -> FileRules {
        // Dispatch looks how its own threads are, and traps when it may not; what is in it of other processes is withheld
        // by the kernel.
        FileRules([.init(run, .own), .init("/proc", .read)] + NameService.rules())
    }

    /// The name service's files were replaced.
    var isMoved: Bool { names != NameService.identity() }
}
