import FoundationEssentials
package import Recording
import YAMLConfiguration

/// The tie between a camera and the disk that holds its cache.
///
/// The state and the cache carry the same random number. A cache that lost it is another disk, or none is mounted:
/// recording there would fill the wrong disk and hide the footage of the right one, so the camera is refused.
package struct DiskIdentity: Codable, Hashable, Sendable {
    var uuid: String
    var camera: String
    var version = 1

    package enum Outcome: Hashable, Sendable {
        case known
        /// First recording of this camera.
        case created
        /// The state was lost, the cache was not.
        case adopted
    }

    /// Makes sure that the camera's cache directory exists and is the right one.
    ///
    /// The cache is marked before the state: cut short in between, the next start adopts the mark.
    package static func check(_ camera: CameraName, _ places: Places) throws -> Outcome {
        let directory = places.cacheDirectory(camera)
        let expected = try read(places.identity(camera))
        let found = try read(directory + "/identity.json")
        switch (expected, found) {
        case (nil, nil):
            let new = DiskIdentity(uuid: UUID().uuidString, camera: camera.text)
            try SmallFile.makeDirectory(directory)
            try SmallFile.makeDirectory(places.identities)
            try new.write(directory + "/identity.json")
            try new.write(places.identity(camera))
            return .created
        case (nil, let found?):
            guard found.camera == camera.text else {
                throw Refusal(
                    code: "wrongDisk", "\(directory) holds the footage of the camera \(found.camera)",
                    nextStep: "Rename the camera back to \(found.camera), or move that directory away")
            }
            try SmallFile.makeDirectory(places.identities)
            try found.write(places.identity(camera))
            return .adopted
        case (let expected?, let found?) where expected.uuid == found.uuid: return .known
        case (.some, let found):
            let what = found == nil ? "is not the disk that \(camera) was recorded on" : "is another disk's"
            throw Refusal(
                code: "wrongDisk", "\(directory) \(what)",
                nextStep: "Mount the right disk and run `cvrctl camera restart \(camera)`; to begin a new cache, "
                    + "first remove \(places.identity(camera))")
        }
    }

    /// Whether the camera was ever recorded here, as far as the state or the cache's disk knows: on a disk that is away
    /// its footage is there all the same.
    package static func hasCache(_ camera: CameraName, _ places: Places) throws -> Bool {
        try SmallFile.read(places.identity(camera), limit: 4096) != nil
            || SmallFile.read(places.cacheDirectory(camera) + "/identity.json", limit: 4096) != nil
    }

    private static func read(_ path: String) throws -> DiskIdentity? {
        guard let bytes = try SmallFile.read(path, limit: 4096) else { return nil }
        do {
            return try JSONDecoder().decode(DiskIdentity.self, from: Data(bytes))
        } catch {
            throw Refusal(
                code: "wrongDisk", "\(path) is damaged",
                nextStep: "If this is the right disk, remove \(path) and run `cvrctl camera restart`")
        }
    }

    private func write(_ path: String) throws {
        try SmallFile.write(Array(try JSONEncoder().encode(self)) + [UInt8(ascii: "\n")], to: path, mode: 0o600)
    }
}
