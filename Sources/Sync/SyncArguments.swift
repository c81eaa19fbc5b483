package import Recording

/// What cvr-sync is told on its command line: nothing secret, and only what it must know before it shuts itself in.
package struct SyncArguments: Hashable, Sendable {
    package static let usage =
        "cvr-sync --run DIRECTORY [--cache DIRECTORY --state DIRECTORY --store URL [--files DIRECTORY]...]"

    package var run: String
    /// Nil from a cvrd that does not know of them.
    package var places: SyncPlaces?

    /// Nil unless each option but `--files` is there at most once, with a value that makes sense, and the places all or
    /// none.
    package init?(_ arguments: some Sequence<String>) {
        var (values, files) = ([String: String](), [String]())
        var rest = Array(arguments)[...]
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else { return nil }
            if option == "--files" {
                files.append(value)
            } else if values.updateValue(value, forKey: option) != nil {
                return nil
            }
        }
        guard let run = values.removeValue(forKey: "--run"), run.hasPrefix("/") else { return nil }
        self.run = run
        if values.isEmpty, files.isEmpty { return }
        guard values.count == 3, let cache = values["--cache"], let state = values["--state"],
            let url = values["--store"], let store = try? StoreLocation(url), cache.hasPrefix("/"),  // wrong usage
            state.hasPrefix("/"), files.allSatisfy({ $0.hasPrefix("/") })
        else { return nil }
        places = SyncPlaces(cache: cache, state: state, store: store, files: files)
    }
}

/// The places that cvr-sync works on.
package struct SyncPlaces: Hashable, Sendable {
    package var cache: String
    package var state: String
    package var store: StoreLocation
    /// What it may write the files of sinks below; in order, each once.
    package var files: [String]

    package init(cache: String, state: String, store: StoreLocation, files: [String] = []) {
        self.cache = cache
        self.state = state
        self.store = store
        self.files = Set(files).sorted()
    }

    init(_ settings: SyncSettings) {
        self.init(
            cache: settings.cachePath, state: settings.statePath, store: settings.store, files: settings.filePaths)
    }
}
