/// What `/export/{camera}` answers: the files that hold a range, one a codec.
struct ExportContents: Decodable {
    struct Segment: Codable {
        let session: Int64
        let counter: Int64
        let start: String
        let duration: Double
        /// Of it in the file.
        let bytes: Int64
        /// CRC-32C of the segment's whole file as it was recorded, in hexadecimal; nil until it was read as a whole.
        let checksum: String?
        let key: String
    }

    struct File: Decodable {
        let from: String
        let to: String
        let bytes: Int64
        let etag: String
        let url: String
        let segments: [Segment]
    }

    let ranges: [File]
}

/// `FILE.json`: what an exported file is, for whoever must be able to prove it.
struct ExportManifest: Codable {
    let file: String
    let camera: String
    let from: String
    let to: String
    let source: String
    let bytes: Int64
    let sha256: String
    let segments: [ExportContents.Segment]
}
