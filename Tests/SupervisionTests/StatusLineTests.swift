import Recording
import Supervision
import Testing

@Suite("Supervision: status line")
struct StatusLineTests {
    private func line(_ cameras: [(String, CameraState)], sync: String = "idle", lag: Double = 0) throws -> String {
        StatusLine(try cameras.map { (try #require(CameraName($0)), $1) }, sync: sync, lag: lag).text
    }

    @Test("counts what records and names what does not")
    func states() throws {
        #expect(try line([("front", .recording)]) == "1 camera: 1 recording; sync idle")
        let mixed: [(String, CameraState)] = [("yard", .reconnecting), ("front", .recording), ("gate", .recording)]
        #expect(try line(mixed, lag: 19) == "3 cameras: 2 recording, 1 reconnecting (yard); sync idle, lag 10 s")
        let away = try line((1...6).map { ("cam\($0)", .backingOff) }, sync: "away")
        #expect(away == "6 cameras: 6 backingOff (cam1, cam2, cam3, cam4 and 2 more); sync away")
        #expect(try line([]) == "0 cameras; sync idle")
    }

    @Test(
        "tells a lag in steps, and none that is no time",
        arguments: [
            (9.9, ""), (121, ", lag 2 min"), (90000, ", lag 25 h"), (.infinity, ""), (.nan, ""),
        ])
    func lag(seconds: Double, text: String) throws {
        #expect(try line([], lag: seconds) == "0 cameras; sync idle\(text)")
    }
}
