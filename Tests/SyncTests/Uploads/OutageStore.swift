import Foundation
import Glibc
import HTTP
import Messages
import ObjectStore
import Recording
import Sync
import TestSupport
import Testing

/// A store that is away until it is told to come: a folder of this test's own, or a bucket of SeaweedFS behind a relay.
final class OutageStore {
    enum Kind: String, CaseIterable, Sendable {
        case folder, service
    }

    private enum Place {
        case folder(String)
        /// `folder` is the bucket and what the keys begin with.
        case service(SeaweedFS, folder: String, Relay)
    }

    let url: String
    let access: SyncInterface.StoreAccess?
    private let place: Place
    /// By the straight way.
    private let store: any ObjectStore

    init(_ kind: Kind, in root: String) async throws {
        switch kind {
        case .folder:
            place = .folder("\(root)/nas")
            (url, access) = ("file://\(root)/nas/store", nil)
            store = FileStore(root: "\(root)/nas/store")
        case .service:
            let server = try await SeaweedFS.shared.value
            // Not a bucket of its own: of these SeaweedFS has room for three.
            let prefix = "outage-\(UInt32.random(in: 0...UInt32.max))"
            let relay = try await Relay(to: server.endpoint)
            place = .service(server, folder: "\(server.bucket)/\(prefix)", relay)
            url = "s3://\(server.bucket)/\(prefix)?endpoint=\(relay.endpoint)&region=us-east-1"
            access = SyncInterface.StoreAccess(credential: Secret(server.credential))
            let location = StoreLocation.S3(
                bucket: server.bucket, prefix: prefix, endpoint: server.endpoint, region: "us-east-1")
            let credential = try #require(S3Credential(server.credential))
            store = S3Store(location, credential, HTTPClient(HTTPSettings()), clock: SyncClock.system.now)
        }
    }

    /// A folder is there at once and stays: what is missing before is the one above it.
    func come() async throws {
        switch place {
        case .folder(let path): try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        case .service(_, _, let relay): try await relay.open()
        }
    }

    func leave() async { if case .service(_, _, let relay) = place { await relay.stop() } }

    /// What arrived at a service.
    func sent() async throws -> Relay.Sent {
        guard case .service(_, _, let relay) = place else { throw Missed("a folder counts nothing") }
        return try await relay.sent()
    }

    /// A camera's objects, and when each was written: seconds since 1970.
    func objects(_ camera: CameraName) throws -> [(key: ObjectKey, written: Double)] {
        switch place {
        case .folder(let path):
            let folder = "\(path)/store/plant/\(camera)"
            return try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".mp4") }.map {
                var status = stat()
                #expect(stat("\(folder)/\($0)", &status) == 0)
                let written = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
                return (try #require(ObjectKey("plant/\(camera)/\($0)")), written)
            }
        case .service(let server, let folder, _):
            let written = try server.written(in: "\(folder)/plant/\(camera)").filter { $0.key.hasSuffix(".mp4") }
            return try written.map { (try #require(ObjectKey("plant/\(camera)/\($0)")), $1) }
        }
    }

    /// True when the object has the file's bytes.
    func holds(_ key: ObjectKey, like file: String) throws -> Bool {
        let local = try Data(contentsOf: URL(filePath: file))
        return try store.read(key, offset: 0, count: local.count + 1).elementsEqual(local)
    }
}
