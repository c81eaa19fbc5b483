import Foundation
import Testing

@Suite("Structure: modules")
struct ModuleTests {
    let tree = SourceTree()
    static let roles: Set = ["Supervision", "Ingest", "Sync", "Playback", "Gateway", "Preview"]
    static let roleOfProcess = [
        "cvrd": "Supervision", "cvr-ingest": "Ingest", "cvr-sync": "Sync", "cvr-playback": "Playback",
        "cvr-gateway": "Gateway", "cvr-preview": "Preview",
    ]

    func imports(of room: String) throws -> Set<String> {
        Set(
            try tree.swiftFiles(in: "Sources/\(room)").flatMap(\.lines).compactMap { line in
                let words = line.split(separator: " ")
                guard let index = words.firstIndex(of: "import"), index <= 2, index + 1 < words.count else {
                    return nil
                }
                return String(words[words.count - 1].prefix { $0 != "." })
            })
    }

    @Test("roles never import each other, concerns never import roles, the words import nothing")
    func direction() throws {
        #expect(try imports(of: "Recording") == [])
        for room in try tree.folders(in: "Sources") {
            let found = try imports(of: room).intersection(Self.roles)
            let allowed: Set<String> = Self.roleOfProcess[room].map { [$0] } ?? []
            #expect(found.isSubset(of: allowed), "\(room) imports \(found.sorted())")
        }
    }

    @Test("what a worker links knows no Foundation, Dispatch or concurrency runtime of its own")
    func workerDiet() throws {
        let rooms = [
            "Recording", "Messages", "FragmentedMP4", "SegmentStore", "LibAV", "Confinement", "Ingest", "cvr-ingest",
            "Preview", "cvr-preview",
        ]
        for room in rooms {
            let found = try imports(of: room).intersection([
                "Foundation", "FoundationEssentials", "Dispatch", "NIOCore",
            ])
            #expect(found.isEmpty, "\(room) imports \(found.sorted())")
        }
    }

    /// Who may remove, replace or cut files, and which: none of these is media in a cache.
    static let removers: Set = [
        "Sources/Catalog/Catalog.swift",  // a damaged catalog
        "Sources/YAMLConfiguration/SmallFile.swift",  // cameras.d, credentials, run directories
        "Sources/Gateway/MQTT/Broker.swift",  // who signed a broker's certificate, in its run directory
        "Sources/Ingest/ControlSocket.swift",  // the worker's socket
        "Sources/SegmentStore/RunFiles.swift",  // its state.json and last words
        "Sources/Sync/Caches/Ballast.swift",
        "Sources/Sync/Files/SinkFolder.swift",  // partials and the oldest files of file sinks
        "Sources/Sync/State/StateFile.swift",  // the clock's reading, the store's mark
        "Sources/Sync/State/SyncFolder.swift",  // where an earlier build kept these and the catalog
        "Sources/Varlink/UnixSocket.swift",
        "Sources/cvrctl/ExportFile.swift",  // an export's own part and sidecar
    ]

    @Test("one module removes media from caches, one from the store")
    func removal() throws {
        let removal =
            /(?:^|[^.\w])(?:unlink|unlinkat|rename|renameat|renameat2|rmdir|truncate|ftruncate)\(|\.(?:removeItem|moveItem|replaceItem)/
        for file in try tree.swiftFiles(in: "Sources")
        where !["SegmentStore", "ObjectStore"].contains(file.room) && !Self.removers.contains(file.path) {
            let hit = file.code.first { $0.contains(removal) }
            #expect(hit == nil, "\(file.path): \(hit ?? "")")
        }
    }

    @Test("one module knows SQL, one spawns and signals")
    func singleOwners() throws {
        let owners: [(pattern: Regex<Substring>, rooms: Set<String>)] = [
            (/import GRDB/, ["Catalog"]),
            (/(?:^|\W)(?:posix_spawnp?\(|pidfd_send_signal\(|kill\()/, ["Isolation", "SegmentStore"]),
        ]
        for file in try tree.swiftFiles(in: "Sources") {
            for (pattern, rooms) in owners where !rooms.contains(file.room) {
                let hit = file.code.first { $0.contains(pattern) }
                #expect(hit == nil, "\(file.path): \(hit ?? "")")
            }
        }
    }

    @Test("ARCHITECTURE.md names every module and process there is, and no other")
    func documented() throws {
        let modules = try tree.table("module", in: "ARCHITECTURE.md").flatMap { SourceTree.codeSpans($0[0]) }
        let processes = try tree.table("process", in: "ARCHITECTURE.md").flatMap { SourceTree.codeSpans($0[0]) }
        #expect(Set(modules + processes) == Set(try tree.folders(in: "Sources")))
    }

    @Test("folders and files have names that mean something")
    func roomsWithMeaning() throws {
        let bad = /(?i)^(utils?|common|helpers?|managers?|shared|misc|constants|extensions|core|base)$/
        for folder in try tree.folders(in: "Sources") {
            #expect(folder.wholeMatch(of: bad) == nil, "\(folder) says nothing")
        }
        for file in try tree.swiftFiles(in: "Sources") {
            let name = String(file.path.split(separator: "/").last?.prefix { $0 != "." && $0 != "+" } ?? "")
            #expect(name.wholeMatch(of: bad) == nil, "\(file.path) says nothing")
        }
    }
}
