import Foundation
import TestSupport
import Testing

extension ServedBoxTests {
    /// Between the end of the one cvrd and the start of the next, which are 20 ms without this.
    private static let pause = """
        [Unit]
        Wants=pause.service
        After=pause.service
        """
    private static let pauseService = """
        [Service]
        Type=oneshot
        ExecStart=/bin/sleep 5
        """

    @Test("end 3 s after a stop that fell between the two halves of a restart, with their recordings closed")
    func missed() async throws {
        let rig = try await CameraRig([CameraRig.Camera("front", clip: ServedBox.clip)])
        let settings = BoxSettings([.init("front", url: try rig.url("front"))])
        try await withSystemMachine(settings) { machine in
            try await machine.systemctl("start", "cvrd")
            try await machine.until(["front"], are: "recording")
            let folder = "\(machine.root)/root/etc/systemd/system"
            for (file, text) in [
                ("pause.service", Self.pauseService), ("cvrd.service.d/pause.conf", Self.pause),
            ] {
                let url = URL(filePath: "\(folder)/\(file)")
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: url)
            }
            try await machine.systemctl("daemon-reload")
            let workers = machine.processes(of: "cvr-ingest")
            try await machine.systemctl("restart", "--no-block", "cvrd")
            let units = ["cvrd.service", "cvr-workers.service"]
            try await eventually("neither runs", within: .seconds(5), every: .milliseconds(10)) {
                var states: Set<String> = []
                for unit in units { states.insert(try await machine.property("ActiveState", of: unit)) }
                return states == ["inactive"] ? true : nil
            }
            try await machine.systemctl("stop", "cvrd")
            #expect(machine.processes(of: "cvr-ingest") == workers && workers.count == 1, "systemd runs nothing for it")
            try await eventually("nothing runs", within: .seconds(30), every: .milliseconds(50)) {
                machine.processes().isEmpty ? true : nil
            }
            #expect(try await machine.property("ActiveState") == "inactive")
            let left = SegmentFiles.all(in: "\(machine.data)/cache", endings: [".partial", ".suspect"])
            #expect(left.isEmpty, "\(left)")
        }
        await rig.stop()
    }
}
