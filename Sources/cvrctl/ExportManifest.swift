import Messages

/// `FILE.json`: what an exported file is, for whoever must be able to prove it.
struct ExportManifest: Decodable {
    let file: String
    let camera: String
    let from: String
    let to: String
    let source: String
    let bytes: Int64
    /// Of the version of the footage, as the server named it.
    let etag: String
    let sha256: String
    let segments: [ExportContents.Segment]
}
