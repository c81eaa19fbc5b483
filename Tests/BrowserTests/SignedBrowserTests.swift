import Foundation
import Recording
import TestSupport
import Testing

extension BrowserTests.Recorded {
    @Test("a signed address shows its camera and time to somebody without an account")
    func signed() async throws {
        let past = try PastBox.current
        let access = FileManager.default.temporaryDirectory.appending(path: "access-\(UUID())").path
        let accounts = "{\"accounts\": {\"guard\": {\"password\": \"secret\"}}}"
        guard
            FileManager.default.createFile(
                atPath: access, contents: Data(accounts.utf8), attributes: [.posixPermissions: 0o600])
        else { throw Missed("\(access) cannot be written") }
        try await past.withReplica(["--access", access]) { url in
            let (from, to) = (past.hour.start, past.hour.start + 8)
            let times = [from, to, from + 4].map { WallTime(microseconds: Int64($0 * 1e6)).rfc3339 }
            let account = "Basic " + Data("guard:secret".utf8).base64EncodedString()
            let answer = try await Web.get(
                "\(url)sign?camera=front&from=\(times[0])&to=\(times[1])", [("Authorization", account)])
            let signature = try JSONDecoder().decode(Signed.self, from: Data(answer.body)).signature
            let page = "\(url)?signature=\(signature)#cameras=front&time=\(times[2])"
            try await past.watched.scene("signed", at: page) { box in
                try await box.browser.run("cvr.play(false);")
                try await box.settled()
                let look = try await box.look()
                #expect(look.frames.count == 1 && (from..<to).contains(look.time))
                #expect(abs(try past.error(of: look.frames["front"] ?? -1, of: "front", at: look.time)) < 0.2)
                let others: [String] = try await box.browser.value("() => cvr.cameras.map(camera => camera.name)")
                #expect(others == ["front"])
            }
        }
        try FileManager.default.removeItem(atPath: access)
    }

    private struct Signed: Decodable {
        let signature: String
    }
}
