import Foundation
import Glibc
import Recording

/// The tie between a camera and the disk of its cache, as cvrd made it: another disk's footage is another camera's.
struct CacheIdentity: Decodable {
    private var uuid: String
    private var camera: String

    /// False when there is no cache: none was made, or its disk is not mounted.
    ///
    /// Throws when there is one that must be left alone.
    static func check(_ camera: CameraName, _ settings: SyncSettings) throws(SyncError) -> Bool {
        let folder = settings.cachePath(camera)
        guard let found = try read(folder + "/identity.json") else { return false }
        let expected = try read("\(settings.statePath)/identities/\(camera)")
        guard found.camera == camera.text, expected.map({ $0.uuid == found.uuid }) ?? true else {
            throw SyncError(
                .wrongDisk, "\(folder) is not the disk that \(camera) was recorded on",
                nextStep: "mount the right disk; until then nothing on it is uploaded or deleted")
        }
        return true
    }

    private static func read(_ path: String) throws(SyncError) -> CacheIdentity? {
        guard access(path, F_OK) == 0 || errno != ENOENT else { return nil }
        do {
            return try JSONDecoder().decode(CacheIdentity.self, from: Data(contentsOf: URL(filePath: path)))
        } catch {
            throw SyncError(
                .wrongDisk, "\(path) cannot be read",
                nextStep: "if this is the right disk, do what cvrctl status says about the camera"
            )
        }
    }
}
