import Recording

extension BoxConfiguration {
    /// Reads `cvr.yaml` and the files of `cameras.d`; throws every mistake at once.
    ///
    /// `added` gives the latter by camera name and the mistakes of those that cannot be read, once the former has said
    /// where the state is; `hostName` is what a box without `site` is called.
    package init(
        main: ConfigurationText, hostName: String,
        added: (String) -> (texts: [String: ConfigurationText], mistakes: [ConfigurationMistake])
    ) throws(ConfigurationError) {
        let mistakes = MistakeList()
        let root = Section(main, schema: "", mistakes: mistakes)
        guard root.isPresent else { throw mistakes.error }
        let cache = root.section("cache", schema: "cache")
        let store = root.section("store", schema: "store")
        let directories = BoxDirectories()
        let cachePath = cache.value("path", Values.path) ?? directories.cache
        let access = StoreConfiguration(store)
        if let folder = access.location.folder, folder.isIn(cachePath) || cachePath.isIn(folder) {
            store.report("url", "the store and the cache lie in each other; give each its own directory")
        }
        self.init(
            site: root.value("site", Values.site) ?? SiteName(hostName: hostName),
            runtimePath: root.section("runtime", schema: "runtime").value("path", Values.path) ?? directories.runtime,
            statePath: root.section("state", schema: "state").value("path", Values.path) ?? directories.state,
            cachePath: cachePath, minimumFreePercent: cache.value("minimumFree", Values.percent) ?? 5,
            store: access,
            trustsClock: root.section("clock", schema: "clock").value("trust", Values.choice(ClockTrust.self))
                == .always,
            playback: PlaybackConfiguration(root.section("playback", schema: "playback")), cameras: [:])
        gateway = GatewayConfiguration(root.section("gateway", schema: "gateway"), hostName: hostName)
        filePaths = readFilePaths(root.section("graph", schema: "graph"))
        usual = CameraDefaults(root.section("defaults", schema: "defaults"), cache: cache)
        var reader = CameraReader(defaults: usual, mistakes: mistakes)
        reader.read(root.section("cameras", schema: nil))
        let added = added(statePath)
        for (name, text) in added.texts.sorted(by: { $0.key < $1.key }) { reader.read(name, text) }
        for mistake in added.mistakes { mistakes.add(mistake) }
        reader.refuseSharedAssets()
        cameras = reader.cameras
        checkNesting(root)
        checkSocketPaths(root.section("runtime", schema: nil))
        guard mistakes.isEmpty else { throw mistakes.error }
    }

    /// A camera's directory is its own: one called `state` or `a` would lie in the other's.
    private func checkNesting(_ root: Section) {
        for (key, path) in [("state", statePath), ("runtime", runtimePath)]
        where path.isIn(cachePath) || cachePath.isIn(path) {
            root.section(root.has(key) ? key : "cache", schema: nil).report(
                "path", "the \(key) directory and the cache lie in each other; give each its own directory")
        }
    }

    /// A sink deletes the oldest files that it wrote there, and a store, cache or state is nobody else's.
    private func readFilePaths(_ graph: Section) -> [String] {
        let own =
            [("cache", cachePath), ("state", statePath), ("runtime", runtimePath)]
            + (store.location.folder.map { [("store", $0)] } ?? [])
        func owner(of path: String) -> String? { own.first { path.isIn($0.1) || $0.1.isIn(path) }?.0 }
        guard let given = graph.values("filePaths", Values.path) else {
            return Self.usualFilePaths.filter { owner(of: $0) == nil }
        }
        for path in given {
            guard let owner = owner(of: path) else { continue }
            graph.report(
                "filePaths", "\(path) and the \(owner) lie in each other; give files a directory of their own")
        }
        return given
    }

    /// A Unix socket's path has at most 107 bytes (unix(7), sun_path).
    private func checkSocketPaths(_ runtime: Section) {
        let longest = cameras.keys.map { "/\($0)/a/worker.sock" }.max { $0.utf8.count < $1.utf8.count }
        let own =
            ["/sync/sync.sock"] + (playback.listen == nil ? [] : ["/playback/playback.sock"])
            + (gateway == nil ? [] : ["/gateway/gateway.sock"])
        let tail = ([longest ?? ""] + own).map(\.utf8.count).max() ?? 0
        let length = runtimePath.utf8.count + tail
        guard length > 107 else { return }
        runtime.report(
            "path",
            "too long: a socket below it would need \(length) bytes, a Unix socket's path has at most 107; "
                + "use at most \(107 - tail)")
    }
}

extension String {
    /// True for paths that are `directory` or lie below it.
    fileprivate func isIn(_ directory: String) -> Bool { self == directory || hasPrefix(directory + "/") }
}

/// The name of a credential, or the absolute path of its file.
enum CredentialName {
    static func parse(_ text: String) throws(BadValue) -> String {
        if text.hasPrefix("/") { return try Values.path(text) }
        let isName =
            text.utf8.count <= 128 && !text.hasPrefix(".")
            && text.allSatisfy { ($0.isASCII && ($0.isLetter || $0.isNumber)) || "-._".contains($0) }
        guard isName else {
            throw BadValue("not the name of a credential (letters, digits, - . _) nor an absolute path of its file")
        }
        return text
    }
}
