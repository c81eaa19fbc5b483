import CLinux
import Confinement
import Foundation
package import Recording

/// How cvr-playback shuts itself in: what it serves, read only, and nothing else of the box.
///
/// It writes its run directory alone, and starts cvr-preview alone. Its doors are open before.
package struct PlaybackSandbox: Sendable {
    /// Which folders the places were: a rule holds for a folder, not for its name.
    private let roots: [String: Root?]
    private let names: [UInt64]
    /// For `status`.
    package let text: String

    private struct Root: Hashable {
        var device: dev_t
        var number: ino_t
    }

    /// The places of a process.
    package struct Places: Hashable, Sendable {
        package var run: String?
        package var cache: String?
        package var state: String?
        package var store: StoreLocation
        /// Path of cvr-preview; nil where it is not installed.
        package var preview: String?

        init(_ arguments: PlaybackArguments, preview: String) {
            store = arguments.store
            self.preview = access(preview, X_OK) == 0 ? preview : nil
            guard case .box(let run, let cache, let state) = arguments.setting else { return }
            (self.run, self.cache, self.state) = (run, cache, state)
        }

        /// What is looked into; the catalog's folder is the only one of the state.
        var looked: [String] { [cache, state.map { $0 + "/sync" }, store.folder].compactMap(\.self) }
    }

    /// To be called on the process's only thread; waits at most 5 s for a store that does not answer, and then does
    /// without it: it must not keep viewers from the caches.
    package static func close(_ places: Places) -> PlaybackSandbox {
        // The log's clock is set up while /etc/localtime can be read.
        tzset()
        let silent = places.store.folder.flatMap { folder in
            SilentFolder.holds { _ = root(folder) } ? folder : nil
        }
        var rules = files(places)
        rules.rules.removeAll { $0.path == silent }
        let isService = places.store.folder == nil
        let roots = Dictionary(places.looked.map { ($0, $0 == silent ? nil : root($0)) }) { first, _ in first }
        let sandbox = Sandbox.close(files: rules, calls: .playback(pid: getpid(), usesNetwork: isService))
        return PlaybackSandbox(
            roots: roots, names: isService ? NameService.identity() : [], text: sandbox.text)
    }

    static func files(_ places: Places) -> FileRules {
        let service: [FileRules.Rule] =
            switch places.store {
            case .file: []
            case .s3: NameService.rules()
            // Azure Arc's agent proves who asks by a file in its folder.
            case .azureBlob: NameService.rules() + [.init("/var/opt/azcmagent/tokens", .read)]
            }
        // Dispatch looks how its own threads are, and traps when it may not; what is in it of other processes is withheld
        // by the kernel.
        let threads = FileRules.Rule("/proc", .read)
        return FileRules(
            places.looked.map { .init($0, .look) } + (places.run.map { [.init($0, .own)] } ?? []) + service + [threads]
                + (places.preview.map(program) ?? []))
    }

    /// What it takes to start a program: its file, its loader and their libraries, and what it has in place of an input.
    private static func program(_ path: String) -> [FileRules.Rule] {
        [
            .init(path, .run), .init("/lib64/ld-linux-x86-64.so.2", .run), .init("/lib/ld-linux-aarch64.so.1", .run),
            .init("/etc/ld.so.cache", .read), .init("/usr/lib", .read), .init("/lib64", .read),
            .init("/dev/null", .read),
        ]
    }

    /// One of the places is another folder now, such as the root of a disk that was mounted, or answers at last, or the
    /// name service's files were replaced; waits for their disks.
    var isMoved: Bool {
        roots.contains { path, then in Self.root(path).map { $0 != then } ?? false }
            || !names.isEmpty && names != NameService.identity()
    }

    private static func root(_ path: String) -> Root? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
        return Root(device: status.st_dev, number: status.st_ino)
    }
}
