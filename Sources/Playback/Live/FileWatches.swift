import Dispatch
import Glibc
import Synchronization

/// Rings when a file is written to, renamed or removed (inotify(7)).
///
/// Its path is only looked up: Landlock needs no rule for it, and who writes notices nothing.
final class FileWatches: Sendable {
    /// Goes on until it is let go.
    final class Watch: Sendable {
        let path: String
        private let watches: FileWatches
        private let number: Int32
        private let bell: Bell

        fileprivate init(_ path: String, _ watches: FileWatches, _ number: Int32, _ bell: Bell) {
            (self.path, self.watches, self.number, self.bell) = (path, watches, number, bell)
        }

        deinit { watches.end(number, bell) }
    }

    private static let events = UInt32(IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF)

    private let descriptor: Int32
    /// A file that is watched anew keeps its number, and its bell is the newest.
    private let bells = Mutex<[Int32: Bell]>([:])

    /// Nil where the kernel has none to give: an account's instances are limited.
    init?() {
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }

    /// Rings until its task is cancelled.
    func run() async {
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
        source.setEventHandler { self.tell() }
        // The descriptor is closed when nobody looks at it any more.
        source.setCancelHandler { withExtendedLifetime(self) {} }
        source.activate()
        defer { source.cancel() }
        for await _ in AsyncStream<Never>(Never.self, { _ in }) {}
    }

    /// Nil when there is no such file, or no more watches.
    func watch(_ path: String, _ bell: Bell) -> Watch? {
        bells.withLock { bells in
            let number = inotify_add_watch(descriptor, path, Self.events)
            guard number >= 0 else { return nil }
            bells[number] = bell
            return Watch(path, self, number, bell)
        }
    }

    private func end(_ number: Int32, _ bell: Bell) {
        bells.withLock { bells in
            guard bells[number] === bell else { return }
            bells[number] = nil
            // Fails when the file is gone: then its watch is, too.
            inotify_rm_watch(descriptor, number)
        }
    }

    /// Each watched file's bell, of all when the kernel lost some events.
    private func tell() {
        let size = MemoryLayout<inotify_event>.size
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { buffer in
            while case let count = read(descriptor, buffer.baseAddress, buffer.count), count >= size {
                var offset = 0
                while offset + size <= count {
                    let event = buffer.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                    offset += size + Int(event.len)
                    let bells = bells.withLock { event.wd < 0 ? Array($0.values) : [$0[event.wd]].compactMap(\.self) }
                    for bell in bells { bell.ring() }
                }
            }
        }
    }
}
