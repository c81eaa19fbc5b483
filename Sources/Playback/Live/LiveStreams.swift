import Footage
import Hummingbird
import NIOCore
import Recording
import Timeline

/// The live fragments of several cameras in one answer, each camera's as if it were alone.
///
/// A browser has six connections for a server: one answer a camera would be six cameras at most. Cameras have turns of a
/// fragment, and nothing is held but a block: while a reader is slow fragments pass by, and each camera goes on with its
/// newest key.
struct LiveStreams: Sendable {
    /// Of a request: what a page of any size shows.
    static let mostCameras = 64
    /// Without anything for so long, a sign of life is sent: a reader that is gone is only noticed by writing.
    private static let patience = TimeSpan.seconds(10)

    /// One of the cameras, or why it is none for this visitor.
    enum Source: Sendable {
        case camera(Archive.Camera)
        case refused(code: String)
    }

    let sources: [Source]
    let visitor: Visitor
    let reader: FootageReader
    let feeds: LiveFeeds
    let clock: ServerClock

    /// Until the reader is gone, nothing is left that may be seen, or the server ends.
    func send(to writer: inout any ResponseBodyWriter) async throws {
        let bell = Bell()
        var streams: [LiveStream] = []
        do {
            for (index, source) in sources.enumerated() {
                switch source {
                case .camera(let camera):
                    let feed = await feeds.feed(of: camera, ringing: bell, index)
                    streams.append(LiveStream(place: index, feed: feed, reader: reader))
                case .refused(let code):
                    try await writer.write(LiveFrame.bytes(.end, index, ByteBuffer(string: code)))
                }
            }
            try await follow(&streams, bell, to: &writer)
        } catch {
            for stream in streams { await stream.feed.detach(bell) }
            throw error
        }
        for stream in streams { await stream.feed.detach(bell) }
    }

    private func follow(
        _ streams: inout [LiveStream], _ bell: Bell, to writer: inout any ResponseBodyWriter
    ) async throws {
        var due = Set(streams.map(\.place))
        var written = clock.monotonic()
        while !streams.isEmpty {
            try Task.checkCancellation()
            if let end = visitor.liveEnd(at: clock.now()) {
                for stream in streams { try await writer.write(stream.end(end)) }
                return
            }
            var more: Set<Int> = []
            for index in streams.indices where due.contains(streams[index].place) {
                if try await streams[index].advance(&writer) { more.insert(streams[index].place) }
            }
            streams.removeAll(where: \.isOver)
            if !more.isEmpty { written = clock.monotonic() }
            // Whoever has sent a fragment may have another.
            due = more
            if due.isEmpty { due = await bell.wait(atMost: Self.patience) }
            if clock.monotonic() - written > Self.patience {
                try await writer.write(LiveFrame.bytes(.pause, 0, ByteBuffer()))
                written = clock.monotonic()
            }
        }
    }
}

/// One camera's part of such an answer, and how far it is.
private struct LiveStream {
    let place: Int
    let feed: LiveFeed
    let reader: FootageReader
    private var last: LiveFragment?
    private var isBegun = false
    /// Its end was told, and nothing since.
    private var isAway = false
    private(set) var isOver = false

    init(place: Int, feed: LiveFeed, reader: FootageReader) {
        (self.place, self.feed, self.reader) = (place, feed, reader)
    }

    func end(_ reason: LiveEnd) -> ByteBuffer { LiveFrame.bytes(.end, place, ByteBuffer(string: reason.rawValue)) }

    /// Sends what comes next, at most one fragment; true when it took one, so that there may be another.
    mutating func advance(_ writer: inout any ResponseBodyWriter) async throws -> Bool {
        switch await feed.step(after: last?.sequence) {
        case .later: return false
        case .fragment(let fragment):
            // After an end playback needs a key.
            if isBegun || fragment.isKey { try await send(fragment, to: &writer) }
            last = fragment
            return true
        case .away:
            if !isAway { try await writer.write(end(.notLive)) }
            (isBegun, isAway) = (false, true)
            return false
        case .ended:
            try await writer.write(end(.ending))
            isOver = true
            return false
        }
    }

    private mutating func send(_ fragment: LiveFragment, to writer: inout any ResponseBodyWriter) async throws {
        let map = fragment.map
        if !isBegun || !(last?.hasFormat(of: fragment) ?? false) {
            guard try await send(map, 0..<map.initLength, as: .begin, to: &writer) else { return }
        }
        let isSent =
            fragment.length <= LiveFragment.longestShared
            ? try await sendShared(fragment, to: &writer)
            : try await send(map, map.initLength..<map.length, as: .fragment, to: &writer)
        guard isSent else { return }
        (isBegun, isAway) = (true, false)
    }

    /// False when its bytes, which are the feed's for all who watch, cannot be read.
    private mutating func sendShared(
        _ fragment: LiveFragment, to writer: inout any ResponseBodyWriter
    ) async throws -> Bool {
        guard var bytes = await shared(fragment) else {
            isBegun = false
            try await writer.write(end(.unreadable))
            return false
        }
        while let block = bytes.readSlice(length: min(FootageFile.blockSize, bytes.readableBytes)),
            block.readableBytes > 0
        {
            let kind = bytes.readableBytes > 0 ? LiveFrame.Kind.part : .fragment
            try await writer.write(LiveFrame.head(kind, place, block.readableBytes))
            try await writer.write(block)
        }
        return true
    }

    /// Nil when there is nothing to read any more: whoever reads is told, and goes on.
    private func shared(_ fragment: LiveFragment) async -> ByteBuffer? {
        do { return try await feed.bytes(of: fragment) } catch { return nil }
    }

    /// False when the bytes cannot be read: that ends the camera until its next key, and none of the others.
    private mutating func send(
        _ map: ByteMap, _ range: Range<Int64>, as kind: LiveFrame.Kind, to writer: inout any ResponseBodyWriter
    ) async throws -> Bool {
        var bytes = ServedBytes(map, range, blockSize: FootageFile.blockSize)
        var left = range.length
        while left > 0 {
            guard let block = await read(&bytes, of: map) else {
                isBegun = false
                try await writer.write(end(.unreadable))
                return false
            }
            left -= Int64(block.readableBytes)
            try await writer.write(LiveFrame.bytes(left > 0 ? .part : kind, place, block))
        }
        return true
    }

    /// Nil when there is nothing to read any more: whoever reads is told, and goes on.
    private func read(_ bytes: inout ServedBytes, of map: ByteMap) async -> ByteBuffer? {
        do { return try await reader.block(&bytes, of: map) } catch { return nil }
    }
}
