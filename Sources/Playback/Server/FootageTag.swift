import Crypto
import Recording
import Timeline

/// The entity tag of a file of footage, as its pieces come: it changes whenever anything in the file does.
struct FootageTag: Sendable {
    private var hash = SHA256()

    /// `track` is the only one of it; nil for all.
    init(_ camera: CameraName, track: Int? = nil) {
        add(Array(camera.text.utf8))
        add([Int64(track ?? -1)])
    }

    mutating func add(_ piece: Piece) {
        let (row, bytes) = (piece.row, piece.bytes)
        // A row of an older build has no number for its format: its codecs name it.
        if row.media.format == nil { add(Array(row.media.formatName.utf8)) }
        let numbers =
            [
                row.id.session, row.id.counter, row.start.microseconds, row.media.initLength,
                row.media.format.map { Int64($0) } ?? -1, bytes.lowerBound, bytes.upperBound,
            ] + piece.ticks
        add(numbers)
    }

    /// Of all that was added.
    var tag: EntityTag { EntityTag(hash.finalize()) }

    private mutating func add(_ values: [some BitwiseCopyable]) {
        values.withUnsafeBytes { hash.update(bufferPointer: $0) }
    }
}
