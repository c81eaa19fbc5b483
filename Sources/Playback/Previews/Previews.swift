/// Thumbnails, and sound that browsers play, made of recorded footage by cvr-preview.
///
/// The network-facing process decodes nothing: it hands a job to a process of its own that is shut in, and ends itself
/// when it overstays, and remembers its result. Few run at a time, so that recording keeps its processor; what is asked
/// for twice is made once, and what nobody waits for any more, not at all.
package actor Previews {
    package struct Settings: Sendable {
        /// Path of cvr-preview.
        package var program: String
        package var atOnce = 2
        /// More than so many that wait are turned away.
        package var mostWaiting = 64
        /// Of one job, from its start, in seconds: cvr-preview is told, and ends itself.
        package var limit = 20
        /// Of one result, in bytes.
        package var largestResult = 16 << 20
        /// Of all results that are remembered, in bytes.
        package var memory = 64 << 20

        package init(program: String) { self.program = program }
    }

    /// Reads a job's media: an init part and whole fragments.
    package typealias Media = @Sendable () async throws -> [UInt8]

    private let settings: Settings
    private var cache: PreviewCache
    private var running = 0
    /// For their turn, which comes (true) in their order, unless they leave.
    private var queue: [(number: UInt64, turn: CheckedContinuation<Bool, Never>)] = []
    private var numbers: UInt64 = 0
    /// What is being made, and who waits for it too.
    private var followers: [String: [CheckedContinuation<Void, Never>]] = [:]

    package init(_ settings: Settings) {
        self.settings = settings
        cache = PreviewCache(limit: settings.memory)
    }

    /// How many wait for their turn.
    package var waiting: Int { queue.count }

    /// The first picture of a fragment that starts with a keyframe, as JPEG.
    ///
    /// `name` says which fragment of which segment it is; `media`, its init part and that fragment, are only read when
    /// the picture is not known. It is at least `width` pixels wide if the footage is, and at most twice that.
    package func thumbnail(_ name: String, width: Int, media: Media) async throws -> [UInt8] {
        let width = Self.widths.first { $0 >= width } ?? Self.largestWidth
        return try await result("jpeg \(width)", of: name, media)
    }

    /// The G.711 sound of whole fragments as fragmented MP4 with AAC, its times the track's own.
    ///
    /// Its frames lie on a grid that is the same for all parts of a session: parts that have a fragment in common join
    /// without a click. Of a `span` of media time, in microseconds, it is the frames that end in it, and of adjacent spans
    /// each frame is in one: with a fragment more at both ends they join without a click too.
    package func audio(_ name: String, of span: Range<Int64>? = nil, media: Media) async throws -> [UInt8] {
        try await result(span.map { "aac \($0.lowerBound) \($0.upperBound)" } ?? "aac", of: name, media)
    }

    /// Few, so that what is remembered serves many.
    private static let widths = [160, 320, 640, 1280]
    private static let largestWidth = 1920

    private func result(_ job: String, of name: String, _ media: Media) async throws -> [UInt8] {
        let key = "\(job) \(name)"
        while true {
            if let known = cache.find(key) { return try known.get() }
            guard followers[key] == nil else {
                await follow(key)
                try Task.checkCancellation()
                continue
            }
            return try await make(key, job, media)
        }
    }

    private func make(_ key: String, _ job: String, _ media: Media) async throws -> [UInt8] {
        guard queue.count < settings.mostWaiting else { throw PreviewError.busy }
        followers[key] = []
        defer { for follower in followers.removeValue(forKey: key) ?? [] { follower.resume() } }
        try await takeTurn()
        defer { passTurn() }
        // Whoever asked may have gone when it came.
        try Task.checkCancellation()
        let run = PreviewRun(
            program: settings.program, limit: settings.limit, largestResult: settings.largestResult)
        let input = Array("\(job)\n".utf8) + (try await media())
        do throws(PreviewError) {
            let bytes = try await run.result(of: input)
            cache.keep(.success(bytes), as: key)
            return bytes
        } catch {
            // The same bytes will fail the same way; what the box lacks may come.
            if error.code == .damaged || error.code == .unsupported { cache.keep(.failure(error), as: key) }
            throw error
        }
    }

    /// Waits until somebody else's attempt is over.
    private func follow(_ key: String) async {
        await withCheckedContinuation { followers[key, default: []].append($0) }
    }

    private func takeTurn() async throws(CancellationError) {
        if running < settings.atOnce {
            running += 1
            return
        }
        numbers += 1
        let number = numbers
        let isTurn = await withTaskCancellationHandler {
            await withCheckedContinuation { turn in
                if Task.isCancelled { turn.resume(returning: false) } else { queue.append((number, turn)) }
            }
        } onCancel: {
            Task { await self.leave(number) }
        }
        guard isTurn else { throw CancellationError() }
    }

    private func leave(_ number: UInt64) {
        guard let index = queue.firstIndex(where: { $0.number == number }) else { return }
        queue.remove(at: index).turn.resume(returning: false)
    }

    /// To the next in the queue, if there is one.
    private func passTurn() {
        if queue.isEmpty { running -= 1 } else { queue.removeFirst().turn.resume(returning: true) }
    }
}
