package import Configuration
package import Recording

/// The last session number of a camera, kept apart from its cache: a cache on a new disk must not begin at 1 again, for
/// a session's number is never reused.
package struct SessionMark: Sendable {
    private let directory: String
    private let camera: CameraName

    package init(_ camera: CameraName, _ places: Places) {
        directory = places.sessions
        self.camera = camera
    }

    private var path: String { "\(directory)/\(camera)" }

    /// 0 when none is known, or what is there is no number: then the cache alone counts.
    package func read() throws(FileError) -> Int64 {
        guard let bytes = try SmallFile.read(path, limit: 32) else { return 0 }
        return Int64(String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber }) ?? 0
    }

    package func write(_ session: Int64) throws(FileError) {
        try SmallFile.makeDirectory(directory)
        try SmallFile.write(Array("\(session)\n".utf8), to: path, mode: 0o600)
    }
}
