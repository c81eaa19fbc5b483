import Foundation
import Ingest
import Messages
import Recording
import Testing

/// Who may tell a worker what to do.
@Suite("ControlSocket")
struct ControlSocketTests {
    private func lock(naming pid: Int32) -> Data {
        let text = "{\"pid\": \(pid), \"startTime\": 1, \"bootID\": \"b\", \"build\": \"x\", \"protocol\": 2}"
        return Data((text + String(repeating: " ", count: 511 - text.utf8.count) + "\n").utf8)
    }

    /// Whether a connection of this process is let in while `lock` names cvrd.
    private func isLetIn(_ lock: Data) throws -> Bool {
        let workspace = try Workspace()
        try lock.write(to: URL(filePath: workspace.path + "/cvrd.lock"))
        let socket = try ControlSocket(
            path: workspace.path + "/worker.sock", supervisorLock: workspace.path + "/cvrd.lock")
        let supervisor = try WorkerClient(workspace.path + "/worker.sock")
        supervisor.send(.greet)
        let identity = WorkerIdentity(camera: try #require(CameraName("front")), slot: .a, pid: 1, build: "test")
        _ = socket.service(at: MonotonicTime(microseconds: 0), wall: ManualClock.start) { [.hello(identity)] }
        return try supervisor.next() == .hello(identity)
    }

    @Test("while cvrd lives no other process is let in; a lock that names nobody who lives keeps nobody out")
    func onlySupervisor() throws {
        #expect(try isLetIn(lock(naming: getpid())))
        #expect(try !isLetIn(lock(naming: 1)), "somebody else")
        #expect(try isLetIn(lock(naming: .max)), "a cvrd that is gone")
        #expect(try isLetIn(Data()), "an older cvrd")
    }

    @Test("cvrd's lock lies above the directory that it gave")
    func place() {
        func lock(_ run: String) -> String? {
            WorkerArguments(["--camera", "front", "--slot", "a", "--cache", "/c", "--run", run])?.supervisorLock
        }
        #expect(lock("/run/cvr/front/a") == "/run/cvr/cvrd.lock")
        #expect(lock("/run/cvr/front/b") == nil)
    }
}
