/// One message on a worker's socket: a length, the protocol version, a kind and a body.
///
///     u32 length of what follows | u8 version | u8 kind | body
///
/// Integers are big-endian; strings and byte arrays carry a u32 length. A frame longer than `maximumLength`,
/// a body with bytes left over and an unknown kind are refused with the versions in the text; nothing traps.
package enum Frame {
    /// The version that this build speaks; it also understands `oldestVersion`.
    ///
    /// Version 2 added `WorkerIdentity.sandbox`, `WorkerProgress.keyframeInterval` and the messages of a swap, version 3
    /// what syncs take, version 4 what media graphs need: windows, gates, a camera's tracks and asset, version 5
    /// whose window a session is. Each side says everything in the lower of the two versions: cvrd greets, the worker
    /// answers with its hello.
    package static let version: UInt8 = 5
    package static let oldestVersion: UInt8 = 1
    package static let maximumLength = 1 << 20
    package static let headerLength = 4

    static func encode(
        kind: UInt8, version: UInt8 = version, _ body: (inout ByteWriter) -> Void = { _ in }
    ) -> [UInt8] {
        var content = ByteWriter()
        content.put(version)
        content.put(kind)
        body(&content)
        var frame = ByteWriter()
        frame.put(UInt32(clamping: content.bytes.count))
        return frame.bytes + content.bytes
    }

    /// Takes the first whole frame off the front of `buffer`; nil while it is incomplete.
    ///
    /// Returns the frame's content: version, kind, body.
    package static func next(in buffer: inout [UInt8]) throws(MessageError) -> [UInt8]? {
        guard buffer.count >= headerLength else { return nil }
        let length = buffer.prefix(headerLength).reduce(0) { $0 << 8 | Int($1) }
        guard (2...maximumLength).contains(length) else {
            throw MessageError("a frame of \(length) bytes, allowed are 2...\(maximumLength)")
        }
        guard buffer.count >= headerLength + length else { return nil }
        let content = Array(buffer[headerLength..<headerLength + length])
        buffer.removeFirst(headerLength + length)
        return content
    }

    /// The version that a frame's content is in; nil for one that this build does not know.
    package static func version(of content: [UInt8]) -> UInt8? {
        content.first.flatMap { (oldestVersion...version).contains($0) ? $0 : nil }
    }

    static func open(_ content: [UInt8]) throws(MessageError) -> (version: UInt8, kind: UInt8, body: ByteReader) {
        var reader = ByteReader(content)
        let theirs = try reader.byte()
        guard (oldestVersion...version).contains(theirs) else {
            throw MessageError(
                "it speaks version \(theirs), this build \(oldestVersion)...\(version)", isOtherVersion: true)
        }
        return (theirs, try reader.byte(), reader)
    }
}

/// A message that cannot be understood; its sender is disconnected.
package struct MessageError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
    /// The sender is no liar, only of another release.
    package let isOtherVersion: Bool

    package init(_ description: String, isOtherVersion: Bool = false) {
        self.description = description
        self.isOtherVersion = isOtherVersion
    }
}
