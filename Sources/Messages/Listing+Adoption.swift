/// Adoption of a store that another box wrote to, the same in `io.cvr.Admin` and `io.cvr.Sync`.
extension Listing {
    package struct AdoptedCamera: Codable, Hashable, Sendable {
        package var name: String
        package var session: Int64

        package init(name: String, session: Int64) {
            self.name = name
            self.session = session
        }
    }

    /// Answer of `Adopt`.
    package struct Adopted: Codable, Hashable, Sendable {
        package var cameras: [AdoptedCamera]

        package init(cameras: [AdoptedCamera]) { self.cameras = cameras }
    }
}
