import Ingest
import Recording
import SegmentStore
import Testing

/// Video at 25 fps and sound in samples of 20 ms, each with its own bytes; the clocks count in 90 kHz and 8 kHz.
@Suite("Seam: where a successor goes on")
struct SeamTests {
    private static let step = WallStep(
        wall: WallTime(microseconds: 1_000_000_000), now: MonotonicTime(microseconds: 0))

    private static func picture(_ number: Int64, at milliseconds: Int64) -> TimedFrame {
        frame(0, 90 * milliseconds, milliseconds, isSync: number % 25 == 0, [1, UInt8(number)])
    }

    /// Sound number `n` is of the time 20 `n` ms.
    private static func sound(_ number: Int64, arriving milliseconds: Int64) -> TimedFrame {
        frame(1, 160 * number, milliseconds, isSync: true, [2, UInt8(number)])
    }

    private static func frame(
        _ track: Int, _ time: Int64, _ arrival: Int64, isSync: Bool, _ data: [UInt8]
    ) -> TimedFrame {
        var frame = TimedFrame(
            track: track, presentation: time, isSync: isSync,
            arrival: MonotonicTime(microseconds: arrival * 1000), data: data)
        frame.decode = time
        return frame
    }

    /// Sound that comes 60 ms late beside a keyframe of the time 1000 ms.
    private let frames = [
        Self.picture(0, at: 0), Self.picture(24, at: 960), Self.sound(48, arriving: 1000), Self.picture(25, at: 1000),
        Self.sound(49, arriving: 1020), Self.sound(50, arriving: 1040), Self.picture(26, at: 1040),
        Self.sound(51, arriving: 1060),
    ]

    private func find(_ heard: [Int: FrameMark]) -> Seam? {
        let at = WallTime(microseconds: 1_001_000_000)
        return Seam(HandOver(at: at, keyframe: FrameMark(of: [1, 25]), heard: heard), in: frames, Self.step)
    }

    @Test("sound that came after the keyframe and belongs before it is the successor's, if it was not recorded")
    func late() throws {
        let seam = try #require(find([1: FrameMark(of: [2, 48])]))
        #expect(seam.isWhole)
        #expect(seam.rest(of: frames).map(\.data) == [[1, 25], [2, 49], [2, 50], [1, 26], [2, 51]])
        #expect(seam.lead(in: frames, [90_000, 8000]) == .milliseconds(20))
    }

    @Test("sound that the predecessor recorded is not recorded again, wherever it lies here")
    func early() throws {
        let seam = try #require(find([1: FrameMark(of: [2, 50])]))
        #expect(seam.rest(of: frames).map(\.data) == [[1, 25], [1, 26], [2, 51]])
        #expect(seam.lead(in: frames, [90_000, 8000]) == .zero)
    }

    @Test("a sample that has not come yet is waited for; without it the sound is cut by time")
    func missing() throws {
        let seam = try #require(find([1: FrameMark(of: [2, 99])]))
        #expect(!seam.isWhole)
        #expect(seam.rest(of: frames).count == 6)
        #expect(seam.lead(in: frames, [90_000, 8000]) == .zero)
        let other = HandOver(at: WallTime(microseconds: 0), keyframe: FrameMark(of: [1, 75]))
        #expect(Seam(other, in: frames, Self.step) == nil)
    }
}
