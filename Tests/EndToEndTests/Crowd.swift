import Foundation
import Glibc
import Messages
import Recording
import Synchronization
import TestSupport

/// Viewers of a box: most read what is live as it comes, a tenth never read, and some break off downloads.
final class Crowd: Sendable {
    /// What they cost cvr-playback; sizes in bytes.
    struct Report: Sendable, CustomStringConvertible {
        var viewers = 0
        var memory = (before: 0, most: 0, after: 0)
        var descriptors = (before: 0, most: 0, after: 0)
        /// Those who read, and until when.
        var readers: [Viewer] = []
        var end = Date.distantPast
        var bytes = 0

        var description: String {
            let memory = [memory.before, memory.most, memory.after].map { "\($0 >> 20)" }.joined(separator: ", ")
            return "\(viewers) viewers were sent \(bytes >> 20) MiB; "
                + "cvr-playback had \(memory) MiB and \(descriptors) descriptors before, at most and after"
        }

        /// For each reader what it was sent, as a share of what its camera recorded meanwhile.
        ///
        /// More than all is what it began with: a whole group of pictures.
        func shares(of recorded: [RecordedCamera]) -> [Double] {
            readers.map { reader in
                let segments = recorded.first { $0.name == reader.camera }?.closed ?? []
                let all = segments.reduce(0) { $0 + $1.bytes(from: reader.began, to: end) }
                return all > 0 ? Double(reader.bytes) / all : 0
            }
        }
    }

    struct Viewer: Sendable {
        let camera: String
        let connection: RawConnection
        let reads: Bool
        let began = Date()
        var bytes = 0
    }

    private struct State: Sendable {
        var viewers: [Viewer] = []
        var isOver = false
    }

    private let process: BoxProcess
    private let port: Int
    private let state = Mutex(State())
    private let before: (memory: Int, descriptors: Int)

    init(of count: Int, watching cameras: [String], in box: Box) async throws {
        let listen = try await eventually("cvr-playback serves", within: .seconds(30)) {
            try await box.status().playback?.listen
        }
        guard let port = Int(listen.split(separator: ":").last ?? "") else { throw Missed("a port in \(listen)") }
        (self.port, process) = (port, try box.playback())
        // The first who watches makes what all others use.
        let first = try Self.watch(cameras[0], port, reads: true)
        guard await first.connection.read(1)?.count == 1 else { throw Missed("nothing is live") }
        before = (try process.residentBytes.now, process.openDescriptors - 1)
        let rest = try (1..<count + count / 10).map {
            try Self.watch(cameras[$0 % cameras.count], port, reads: $0 < count)
        }
        state.withLock { $0.viewers = [first] + rest }
        Thread.detachNewThread { [self] in while readAll() {} }
        for camera in cameras { for _ in 0..<5 { try await breakOff(camera) } }
        try await eventually("all are served", within: .seconds(30)) {
            try await box.status().playback?.viewers == Int64(count + count / 10) ? true : nil
        }
    }

    /// Ends all of them, and tells what they cost once cvr-playback has noticed.
    func leave() async throws -> Report {
        var report = Report()
        report.descriptors = (before.descriptors, process.openDescriptors, 0)
        let viewers = state.withLock { state in
            state.isOver = true
            return state.viewers
        }
        report.viewers = viewers.count
        (report.readers, report.end) = (viewers.filter(\.reads), .now)
        report.bytes = viewers.reduce(0) { $0 + $1.bytes }
        // A socket that is only shut down goes on taking bytes and throws them away: it has to be closed to be gone.
        let nothing = open("/dev/null", O_RDONLY)
        defer { close(nothing) }
        for viewer in viewers {
            shutdown(viewer.connection.descriptor, Int32(SHUT_RDWR))
            dup2(nothing, viewer.connection.descriptor)
        }
        // A reader that takes nothing is given up after a minute.
        let closed = try? await eventually("every descriptor is closed", within: .seconds(90)) { () -> Int? in
            let now = process.openDescriptors
            return now <= before.descriptors + 8 ? now : nil
        }
        // Too many are the test's to judge, like all else that was counted.
        report.descriptors.after = closed ?? process.openDescriptors
        let memory = try process.residentBytes
        report.memory = (before.memory, memory.peak, memory.now)
        return report
    }

    private static func watch(_ camera: String, _ port: Int, reads: Bool) throws -> Viewer {
        let connection = try RawConnection(port: port, window: reads ? nil : 4096)
        connection.send("GET /live/\(camera)/stream.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return Viewer(camera: camera, connection: connection, reads: reads)
    }

    /// A download of all there is, of which some bytes are taken.
    private func breakOff(_ camera: String) async throws {
        let connection = try RawConnection(port: port, window: 4096)
        let from = Date(timeIntervalSinceNow: -1800).formatted(.iso8601)
        connection.send("GET /ranges/\(camera).mp4?from=\(from) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        guard await connection.read(100)?.isEmpty == false else { throw Missed("no download") }
    }

    /// Takes what has come for those who read; false when it is over.
    private func readAll() -> Bool {
        let viewers = state.withLock { $0.isOver ? [] : $0.viewers }
        guard !viewers.isEmpty else { return false }
        var waiting = viewers.map {
            pollfd(fd: $0.connection.descriptor, events: $0.reads ? Int16(POLLIN) : 0, revents: 0)
        }
        poll(&waiting, nfds_t(waiting.count), 200)
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        for (index, ready) in waiting.enumerated() where ready.revents & Int16(POLLIN) != 0 {
            let got = recv(ready.fd, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if got > 0 { state.withLock { $0.viewers[index].bytes += got } }
        }
        return true
    }
}

extension Listing.Segment {
    var span: ClosedRange<Date> {
        let start =
            WallTime(rfc3339: start).map { Date(timeIntervalSince1970: Double($0.microseconds) / 1e6) } ?? .distantPast
        return start...start.addingTimeInterval(duration)
    }

    /// Its bytes of a time, taken as spread evenly.
    fileprivate func bytes(from: Date, to: Date) -> Double {
        let common = min(span.upperBound, to).timeIntervalSince(max(span.lowerBound, from))
        return common > 0 ? Double(bytes) * common / duration : 0
    }
}
