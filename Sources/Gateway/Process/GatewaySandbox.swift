import CLinux
import Confinement
import Dispatch
import Foundation
import ServiceLifecycle

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

/// Looks every two seconds whether the name service's files are those that the sandbox shows; ends when they are not.
struct NamesWatch: Service {
    let sandbox: GatewaySandbox

    func run() async throws {
        let (moves, continuation) = AsyncStream.makeStream(of: Void.self)
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "names"))
        timer.schedule(deadline: .now() + 2, repeating: 2)
        timer.setEventHandler { [sandbox] in if sandbox.isMoved { continuation.yield() } }
        timer.activate()
        defer { timer.cancel() }
        let isMoved = await cancelWhenGracefulShutdown {
            for await _ in moves { return true }
            return false
        }
        guard isMoved else { return }
        throw GatewayError(.outdated, "a file of the name service was replaced", nextStep: "start it again")
    }
}
