import Recording

/// Reads the cameras of `cvr.yaml` and `cameras.d` into one table.
struct CameraReader {
    private(set) var cameras: [CameraName: CameraConfiguration] = [:]
    private let defaults: CameraDefaults
    private let mistakes: MistakeList
    private var sections: [CameraName: Section] = [:]

    init(defaults: CameraDefaults, mistakes: MistakeList) {
        self.defaults = defaults
        self.mistakes = mistakes
    }

    /// The `cameras` section of `cvr.yaml`.
    mutating func read(_ section: Section) {
        for (key, _) in section.keys {
            guard let name = usableName(key, in: section) else { continue }
            add(camera(name, section.section(key, schema: "cameras.*"), enabled: true), section)
            sections[name] = section.section(key, schema: nil)
        }
    }

    /// One file of `cameras.d`: a camera added by cvrctl, or only whether a camera of `cvr.yaml` is stopped.
    ///
    /// A file that only says `enabled` for a camera that is gone has no effect: the camera may come back.
    mutating func read(_ name: String, _ text: ConfigurationText) {
        let section = Section(text, schema: "cameras.*", extra: [Schema.enabled], mistakes: mistakes)
        guard section.isPresent, let name = usableName(name, in: section) else { return }
        let enabled = section.value(Schema.enabled, Self.flag) ?? true
        if section.keys.allSatisfy({ $0.key == Schema.enabled }) {
            cameras[name]?.enabled = enabled
        } else if cameras[name] != nil {
            section.report(nil, "\(name) is also in cvr.yaml; keep it in one of the two files")
        } else {
            add(camera(name, section, enabled: enabled), section)
            sections[name] = section
        }
    }

    /// Two cameras in one asset would overwrite each other's footage in the store.
    func refuseSharedAssets() {
        var owners: [String: CameraName] = [:]
        for camera in cameras.values.sorted(by: { $0.name < $1.name }) {
            if let owner = owners[camera.asset] {
                sections[camera.name]?.report(
                    "assetNamePattern", "gives the same asset as \(owner): \(camera.asset); each camera needs its own")
            } else {
                owners[camera.asset] = camera.name
            }
        }
    }

    private mutating func add(_ camera: CameraConfiguration?, _ section: Section) {
        if let camera { cameras[camera.name] = camera }
    }

    private func usableName(_ text: String, in section: Section) -> CameraName? {
        guard let name = CameraName(text) else {
            section.report(text, "not a camera's name: [a-z0-9][a-z0-9-]{0,31}")
            return nil
        }
        guard !BoxConfiguration.reservedNames.contains(text) else {
            section.report(text, "is the name of cvr-\(text)'s directory; choose another")
            return nil
        }
        return name
    }

    private func camera(_ name: CameraName, _ section: Section, enabled: Bool) -> CameraConfiguration? {
        let url = section.required("url", hint: "add url: rtsp://HOST/PATH", Addresses.camera)
        let tls = section.section("tls", schema: "cameras.*.tls")
        let unverified = tls.value("verify", Values.choice(TLSVerification.self)) == TLSVerification.none
        let transport = section.value("transport", Values.choice(CameraConfiguration.Transport.self))
        let username = section.value("username", Values.printable) ?? ""
        let credential = section.value("credential", CredentialName.parse)
        let segmentLength = section.value("segmentLength", Values.segmentLength) ?? defaults.segmentLength
        let retention = section.value("retention", Values.retention) ?? defaults.retention
        let budget = section.value("localMediaCacheMaximumSizeMiB", Values.mebibytes) ?? defaults.cacheBudgetBytes
        let cacheFull = section.value("cacheFull", Values.choice(CameraConfiguration.CacheFull.self))
        let asset = section.value("assetNamePattern") { (pattern) throws(BadValue) in
            try AssetName.resolve(pattern, camera: name)
        }
        if credential != nil, username.isEmpty, !section.has("username") {
            section.report("credential", "a password without a user; add username: NAME")
        }
        if let retention, retention < segmentLength {
            section.report(
                section.has("retention") ? "retention" : nil, "the retention is shorter than one segment; lengthen it")
        }
        guard let url else { return nil }
        let isTLS = CameraConfiguration.isTLS(url)
        if isTLS, !unverified {
            section.report(
                "url",
                "this version cannot verify an rtsps camera's certificate; add tls: { verify: none } to accept that, "
                    + "or use rtsp://")
        }
        if isTLS, let transport, transport != .tcp { section.report("transport", "rtsps needs transport: tcp") }
        return CameraConfiguration(
            name: name, url: url, username: username, credential: credential,
            transport: isTLS ? .tcp : transport ?? defaults.transport, segmentLength: segmentLength,
            retention: retention, asset: asset ?? name.text, cacheBudgetBytes: budget,
            cacheFull: cacheFull ?? defaults.cacheFull, acceptsUnverifiedTLS: unverified, enabled: enabled,
            origin: section.file)
    }

    private static func flag(_ text: String) throws(BadValue) -> Bool {
        guard text == "true" || text == "false" else { throw BadValue("expected true or false") }
        return text == "true"
    }
}

extension CameraDefaults {
    init(_ defaults: Section, cache: Section) {
        segmentLength = defaults.value("segmentLength", Values.segmentLength) ?? segmentLength
        retention = defaults.value("retention", Values.retention)
        transport = defaults.value("transport", Values.choice(CameraConfiguration.Transport.self)) ?? transport
        cacheBudgetBytes = cache.value("localMediaCacheMaximumSizeMiB", Values.mebibytes)
        cacheFull = cache.value("cacheFull", Values.choice(CameraConfiguration.CacheFull.self)) ?? cacheFull
    }
}
