import Foundation
import Messages
import TestSupport
import Testing

extension ServedBoxTests {
    @Test(
        "bring their footage to a service over the network, by a systemd credential, and serve it, under the unit's hardening"
    )
    func service() async throws {
        // It ends with this test: the others measure time.
        let server = try await SeaweedFS()
        let bucket = try server.makeBucket("machine")
        let rig = try await CameraRig([CameraRig.Camera("front", clip: ServedBox.clip)])
        var settings = BoxSettings([.init("front", url: try rig.url("front"))])
        settings.playback = ["listen: 127.0.0.1:0"]
        settings.service = ("s3://\(bucket)/boxes?endpoint=\(server.endpoint)", server.credential)
        let (stored, status) = try await withSystemMachine(settings) { machine in
            try await machine.systemctl("start", "cvrd")
            return (try await machine.untilStored(3, of: "front"), try await machine.status())
        }
        await rig.stop()
        #expect(status.sync.sandbox?.wholeMatch(of: /landlock \d+, seccomp/) != nil, "\(status.sync)")
        #expect(status.sync.breaker == "closed" && status.sync.lastError == nil, "\(status.sync)")
        let playback = status.playback
        #expect(playback?.state == "running" && playback?.lastError == nil, "\(String(describing: playback))")
        #expect(playback?.sandbox?.wholeMatch(of: /landlock \d+, seccomp/) != nil, "\(String(describing: playback))")
        let puts = try await server.requests(of: bucket)["PUT"] ?? 0
        #expect(puts >= stored.count, "\(puts) writes reached the server")
    }
}
