internal import FragmentedMP4
internal import Messages
internal import Recording
internal import SegmentStore

/// What a successor does while its predecessor still records: receives the camera and remembers its newest pictures,
/// so that it can go on from any keyframe of the last seconds.
///
/// Writes nothing of the camera's footage. Bounded: what does not fit is a camera that is swapped with a gap (I9).
final class Rehearsal {
    /// How far back a predecessor's end may lie when its lock is free.
    private static let reach = TimeSpan.seconds(10)
    private static let mostBytes = 64 << 20
    /// A camera is taken to allow one connection when it fails the second so often.
    private static let mostFailures = 2
    /// How long a first keyframe may take before the swap goes on without.
    private static let keyframePatience = TimeSpan.seconds(25)

    let camera: CameraName
    private(set) var intake: Intake?
    private(set) var announcement: Announcement?
    private(set) var frames: [TimedFrame] = []
    private(set) var connectedAt: MonotonicTime?
    private(set) var rhythm = FrameRhythm()
    private(set) var progress = WorkerProgress(state: .starting)
    /// Why no second connection is tried any more; nil while one may work.
    private(set) var solitude: String?
    private let startedAt: MonotonicTime
    private var bytes = 0
    private var failures = 0

    init(camera: CameraName, now: MonotonicTime) {
        self.camera = camera
        startedAt = now
    }

    func connected(_ announcement: Announcement, at now: MonotonicTime) throws(SourceFailure) {
        do throws(MP4Error) {
            intake = try Intake(announcement)
        } catch {
            throw .unsupportedCodec(error.thing)
        }
        self.announcement = announcement
        connectedAt = now
        rhythm = FrameRhythm()
    }

    func take(_ packet: Packet, at now: MonotonicTime) {
        guard let result = intake?.take(packet, at: now) else { return }
        progress.bytesReceived += Int64(packet.data.count)
        if result.isPrimary {
            progress.framesReceived += 1
            rhythm.frame(at: now)
        }
        for frame in result.frames { remember(frame) }
    }

    /// The camera ended or refused a second connection: after two tries it is left to the predecessor alone.
    func disconnected(_ failure: SourceFailure) {
        forget()
        failures += 1
        let trouble = Trouble(failure)
        progress.lastFault = trouble.fault
        if failures >= Self.mostFailures { solitude = trouble.fault.message }
    }

    /// Other settings, or no connection any more: what was received belongs to nothing that goes on.
    func forget() {
        intake = nil
        connectedAt = nil
        frames = []
        bytes = 0
    }

    func tick() { progress.loops += 1 }

    /// What cvrd may be told, once it is true.
    func readiness(at now: MonotonicTime) -> (hasCamera: Bool, detail: String)? {
        if let solitude { return (false, solitude) }
        if let first = frames.first, let last = frames.last, last.arrival - first.arrival >= .milliseconds(500) {
            return (true, "")
        }
        guard now - startedAt > Self.keyframePatience else { return nil }
        return (false, "no keyframe came within \(Self.keyframePatience.microseconds / 1_000_000) s")
    }

    private func remember(_ frame: TimedFrame) {
        let isKey = frame.track == 0 && frame.isSync
        guard isKey || !frames.isEmpty else { return }
        frames.append(frame)
        bytes += frame.data.count
        if isKey { forgetGroups(before: frame.arrival) }
        guard bytes > Self.mostBytes else { return }
        solitude = "its newest pictures are more than \(Self.mostBytes >> 20) MiB"
        forget()
    }

    /// Keeps the group that was current `reach` ago, and what came since; of a large one just the newest.
    private func forgetGroups(before newest: MonotonicTime) {
        let keys = frames.indices.filter { frames[$0].track == 0 && frames[$0].isSync }
        let isCrowded = bytes > Self.mostBytes / 2
        let kept = keys.last { newest - frames[$0].arrival >= (isCrowded ? .zero : Self.reach) } ?? 0
        bytes -= frames[..<kept].reduce(0) { $0 + $1.data.count }
        frames.removeFirst(kept)
    }
}

extension Rehearsal {
    /// A segment of what was received, for a trial of the disk: made as those of a recording are.
    func trial() -> [UInt8] {
        guard let intake, let first = frames.first,
            // What cannot be made fails the trial of the build, not of the disk: the recording would say why.
            let tracks = try? Session.tracks(intake.streams, first.parameterSets)
        else { return [UInt8](repeating: 0, count: 1 << 16) }
        let info = SegmentInfo(
            camera: camera, id: SegmentID(session: 0, counter: 0), anchor: WallTime(microseconds: 0),
            quality: .unsynchronised, cameraClockOffset: nil, gapBefore: nil)
        var encoder = SegmentEncoder(tracks: tracks, info: info)
        let samples = frames.filter { $0.track == 0 }.prefix(25).map { frame in
            Sample(
                track: 0, decodeTime: max(frame.decode.subtractingSaturated(first.decode), 0),
                duration: frame.duration, compositionOffset: frame.presentation.subtractingSaturated(frame.decode),
                isSync: frame.isSync, data: frame.data)
        }
        let media = encoder.fragment(Array(samples))
        return encoder.initPart + media + encoder.trailer()
    }
}
