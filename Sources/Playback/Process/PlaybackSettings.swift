package import Messages
import ObjectStore
package import Recording
package import Serving

/// What cvr-playback serves, and to whom: checked, whoever said it.
package struct PlaybackSettings: Hashable, Sendable {
    /// The box that it runs on; a replica elsewhere has a store alone.
    package struct Box: Hashable, Sendable {
        package var cachePath: String
        package var statePath: String
        /// Assets of the configured cameras.
        package var cameras: [CameraName: String]
    }

    package var site: SiteName
    package var store: StoreLocation
    package var storeAccess = PlaybackInterface.StoreAccess()
    package var box: Box?
    package var listen: ListenAddress
    package var tls: PlaybackInterface.TLS?
    package var access = PlaybackInterface.Access()

    package init(_ message: PlaybackInterface.Configuration) throws(ServingError) {
        guard let site = SiteName(message.site) else { throw .argument("site") }
        guard let listen = ListenAddress(message.listen) else { throw .argument("listen") }
        let store: StoreLocation
        do throws(StoreLocation.Mistake) { store = try StoreLocation(message.storeURL) } catch {
            throw ServingError(.configuration, "store.url: \(error.message)", nextStep: "correct it in cvr.yaml")
        }
        var cameras: [CameraName: String] = [:]
        for camera in message.cameras {
            guard let name = CameraName(camera.name), ObjectKey.isSafe(camera.asset) else { throw .argument("camera") }
            cameras[name] = camera.asset
        }
        (self.site, self.store, self.listen) = (site, store, listen)
        storeAccess = message.storeAccess ?? storeAccess
        box = Box(cachePath: message.cachePath, statePath: message.statePath, cameras: cameras)
        (tls, access) = (message.tls, message.access)
        try refuseExposure()
    }

    /// Those of a replica: reads its files, which are out of reach once it has shut itself in.
    package init(
        _ replica: PlaybackArguments.Replica, store url: StoreLocation, listen: ListenAddress
    ) throws(ServingError) {
        guard let (store, site) = url.splittingSite else {
            throw ServingError(
                .configuration, "the store's URL does not end with a site", nextStep: "write --store URL/SITE")
        }
        (self.site, self.store, self.listen) = (site, store, listen)
        if let path = replica.credential {
            storeAccess.credential = try OwnerFile.line(path).mapError(ServingError.init).get()
        }
        if let certificate = replica.certificate, let key = replica.key {
            tls = PlaybackInterface.TLS(
                certificate: try OwnerFile.text(certificate).mapError(ServingError.init).get(),
                key: Secret(try OwnerFile.guardedText(key).mapError(ServingError.init).get()))
        }
        if let path = replica.access { access = try AccessFile.read(path) }
        try refuseExposure()
    }

    /// The same but for the cameras, which may change while it runs.
    package func isReplaceable(by new: PlaybackSettings) -> Bool {
        var same = new
        same.box?.cameras = box?.cameras ?? [:]
        return same == self
    }

    /// What other hosts can reach is encrypted, and asks who they are.
    private func refuseExposure() throws(ServingError) {
        guard !listen.isLoopback else { return }
        guard tls != nil else {
            throw ServingError(
                .configuration, "\(listen) can be reached from other hosts, and nothing is encrypted",
                nextStep: "give --tls-certificate and --tls-key, or listen at 127.0.0.1")
        }
        guard !access.isOpen else {
            throw ServingError(
                .configuration, "\(listen) can be reached from other hosts, and everybody there may watch",
                nextStep: "give --access with accounts or tokens, or listen at 127.0.0.1")
        }
    }
}

extension ServingError {
    /// Of a file that a replica was given.
    init(_ mistake: OwnerFile.Mistake) {
        self.init(mistake.kind == .file ? .file : .configuration, mistake.message, nextStep: mistake.nextStep)
    }

    fileprivate static func argument(_ name: String) -> ServingError {
        ServingError(.configuration, "cvrd gave no valid \(name)", nextStep: "install both from one package")
    }
}

extension StoreLocation {
    /// The store, and the site that is the last part of the URL's path.
    package var splittingSite: (StoreLocation, SiteName)? {
        switch self {
        case .file(let path):
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex,
                let site = SiteName(path[path.index(after: slash)...])
            else { return nil }
            return (.file(path: String(path[..<slash])), site)
        case .s3(var s3):
            guard let (prefix, site) = Self.split(s3.prefix) else { return nil }
            s3.prefix = prefix
            return (.s3(s3), site)
        case .azureBlob(var azure):
            guard let (prefix, site) = Self.split(azure.prefix) else { return nil }
            azure.prefix = prefix
            return (.azureBlob(azure), site)
        }
    }

    private static func split(_ prefix: String) -> (String, SiteName)? {
        let parts = prefix.split(separator: "/")
        guard let site = parts.last.flatMap({ SiteName($0) }) else { return nil }
        return (parts.dropLast().joined(separator: "/"), site)
    }
}
