// swift-tools-version: 6.2
import PackageDescription

// One build configuration for everything: `swift build -c release` makes the binaries that the
// tests drive and that `contrib/quickstart` runs.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

// A box that records has no Swift toolchain: every process carries its own standard library.
// The order is the linker's: users before what they use. The build id tells builds apart, stripped ones too; what is
// bound at the start cannot be bent later.
let standalone: [LinkerSetting] = [
    .unsafeFlags(["-static-stdlib"] + ["--build-id=sha1", "-z", "relro", "-z", "now"].flatMap { ["-Xlinker", $0] })
]
let standaloneWithFoundation: [LinkerSetting] =
    standalone
    + [
        "FoundationInternationalization", "FoundationEssentials", "CoreFoundation", "_FoundationCollections",
        "_FoundationCShims", "_FoundationICU", "swiftSynchronization", "swift_Concurrency",
        "swift_StringProcessing", "swift_RegexParser", "dispatch", "BlocksRuntime",
    ].map { .linkedLibrary($0) }

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")

let hummingbird: [Target.Dependency] = [
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "HummingbirdTLS", package: "hummingbird"),
    .product(name: "HTTPTypes", package: "swift-http-types"),
]
let jwt: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let slowHashes: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")

// The page that cvr-playback serves is in the program itself: nothing is read from a disk, nothing has to be installed.
let page: [Resource] = [
    "app.js",
    "clock.js",
    "exporting.js",
    "icon.svg",
    "index.html",
    "keys.js",
    "known.js",
    "live.js",
    "mp4.js",
    "peek.js",
    "playlist.js",
    "recorded.js",
    "search.js",
    "server.js",
    "source.js",
    "speaker.js",
    "streams.js",
    "style.css",
    "tile.js",
    "timeline.js",
    "times.js",
    "troubles.js",
].map { .embedInCode("Page/\($0)") }

func module(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func process(_ name: String, _ dependencies: [Target.Dependency], _ linker: [LinkerSetting]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict, linkerSettings: linker)
}

// Tests wait far more than they compute: optimizing them would only lengthen the build.
let testing: [SwiftSetting] = strict + [.unsafeFlags(["-Onone"])]

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: testing)
}

let package = Package(
    name: "cvr",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // Without its readers of configuration files: ours is cvr.yaml.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
    ],
    targets: [
        // Processes: what `ps` shows.
        process(
            "cvrd", ["Supervision", "YAMLConfiguration", "Messages", lifecycle, log, signals], standaloneWithFoundation),
        process("cvr-ingest", ["Ingest", "Confinement"], standalone),
        process("cvr-sync", ["Sync"], standaloneWithFoundation),
        process("cvr-playback", ["Messages", "Playback"], standaloneWithFoundation),
        process("cvr-gateway", ["Gateway"], standaloneWithFoundation),
        process("cvr-preview", ["Preview", "Confinement"], standalone),
        process(
            "cvrctl",
            [
                "HTTP", "JSON", "Messages", "Recording", "Varlink", crypto,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            standaloneWithFoundation),

        // Roles: one per process; they never import each other.
        module(
            "Supervision",
            [
                "YAMLConfiguration", "Checksums", "Isolation", "JSON", "MediaGraph", "Messages", "Systemd", "Varlink",
                "CLinux", crypto,
                lifecycle, log, signals,
            ] + nio),
        module("Ingest", ["Messages", "Confinement", "SegmentStore", "FragmentedMP4", "LibAV", "CLinux"]),
        module(
            "Sync",
            [
                "Catalog", "Checksums", "Confinement", "Footage", "HTTP", "ObjectStore", "SegmentStore",
                "FragmentedMP4", "Messages", "Timeline", "Varlink",
                "CLinux", lifecycle, log, signals,
            ]),
        module(
            "Playback",
            [
                "Catalog", "Checksums", "Confinement", "Footage", "HTTP", "Isolation", "ObjectStore", "SegmentStore",
                "FragmentedMP4", "Messages", "Serving", "Timeline", "Varlink", "CLinux", crypto, slowHashes, jwt,
                lifecycle, log,
            ] + nio + hummingbird,
            resources: page),
        module(
            "Gateway",
            [
                "Confinement", "HTTP", "JSON", "Messages", "Recording", "Serving", "Varlink", "CLinux", "CMosquitto",
                crypto, lifecycle, log,
            ] + nio + hummingbird),
        module("Preview", ["Confinement", "CLibAV", "CSWScale", "CLinux"]),

        // Concerns.
        module("YAMLConfiguration", ["Recording", "CLinux", "Yams"]),
        module(
            "Catalog",
            [
                "Recording", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]),
        module(
            "Footage",
            ["Catalog", "Checksums", "FragmentedMP4", "Messages", "ObjectStore", "Recording", "SegmentStore", "CLinux"]),
        module("Timeline", ["FragmentedMP4", "Recording"]),
        module("ObjectStore", ["Checksums", "HTTP", "Recording", "CLinux", crypto]),
        module("HTTP", ["CCurl"]),
        module(
            "Serving",
            ["Confinement", "Recording", "SegmentStore", "Varlink", "CLinux", lifecycle, log, signals] + nio
                + hummingbird),
        module("Isolation", ["CLinux"]),
        module("Systemd", ["CLinux", "CSystemd"]),
        module("Confinement", ["CLinux", "CSeccomp"]),
        module("Varlink", nio),
        module(
            "Messages", ["JSON", "Recording"],
            resources: [
                .embedInCode("io.cvr.Admin.varlink"), .embedInCode("io.cvr.Gateway.varlink"),
                .embedInCode("io.cvr.Playback.varlink"), .embedInCode("io.cvr.Sync.varlink"),
            ]),
        module("SegmentStore", ["Checksums", "Recording", "FragmentedMP4", "CLinux"]),
        module("FragmentedMP4", ["Checksums", "Recording"]),
        module("LibAV", ["Recording", "CLibAV"]),

        module("MediaGraph", ["JSON", "Recording"]),
        module("JSON"),
        module("Checksums", ["CChecksum"]),

        // The words. Imports nothing.
        module("Recording"),

        // C, header-only: syscalls and macros that the importer cannot see.
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CChecksum"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLibAV", pkgConfig: "libavformat", providers: [.apt(["libavformat-dev"])]),
        .systemLibrary(name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
        .systemLibrary(name: "CSWScale", pkgConfig: "libswscale", providers: [.apt(["libswscale-dev"])]),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),

        // Tests mirror the modules.
        tests("JSONTests", ["JSON"]),
        tests("MediaGraphTests", ["MediaGraph", "JSON", "Recording", "TestSupport"]),
        tests("GatewayTests", ["Gateway", "HTTP", "JSON", "Messages", "Recording", "Varlink", "TestSupport", log]),
        tests("YAMLConfigurationTests", ["YAMLConfiguration", "Recording"]),
        tests("IsolationTests", ["Isolation", "CLinux", "TestSupport"]),
        tests("SystemdTests", ["Systemd"]),
        tests("ConfinementTests", ["Confinement", "TestSupport"]),
        .systemLibrary(name: "CAttack", path: "Tests/CAttack"),
        // A worker that turned against its box the moment its sandbox closed; the tests' alone.
        .executableTarget(
            name: "cvr-attacker",
            dependencies: ["Ingest", "Confinement", "SegmentStore", "Recording", "CLinux", "CAttack"],
            path: "Tests/Attacker", swiftSettings: strict, linkerSettings: standalone),
        // A long history and what playback asks of it: contrib/bench/year.
        .executableTarget(
            name: "cvr-year",
            dependencies: [
                "Catalog", "Footage", "FragmentedMP4", "HTTP", "Playback", "Recording", "SegmentStore", "Serving",
                lifecycle,
                log,
            ],
            path: "Tests/Year", swiftSettings: strict, linkerSettings: standaloneWithFoundation),
        tests(
            "SupervisionTests",
            [
                "Supervision", "YAMLConfiguration", "Isolation", "HTTP", "JSON", "MediaGraph", "Messages", "Recording",
                "Varlink", "TestSupport", log,
            ]),
        tests("ChecksumsTests", ["Checksums"]),
        tests("RecordingTests", ["Recording"]),
        tests("VarlinkTests", ["Varlink", "JSON", "Messages", "Recording", "TestSupport"] + nio),
        tests("cvrctlTests", ["JSON", "Messages", "Recording", "Varlink"], exclude: ["footage.py"]),
        tests("MessagesTests", ["Messages", "Recording"]),
        tests("LibAVTests", ["LibAV", "Recording", "TestSupport"]),
        tests(
            "IngestTests",
            ["Ingest", "Messages", "SegmentStore", "FragmentedMP4", "Recording", "CLinux", "TestSupport"]),
        tests("FragmentedMP4Tests", ["Checksums", "FragmentedMP4", "Recording", "TestSupport"]),
        tests("SegmentStoreTests", ["Checksums", "SegmentStore", "FragmentedMP4", "Recording", "TestSupport"]),
        tests(
            "CatalogTests",
            [
                "Catalog", "Recording", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]),
        tests("HTTPTests", ["HTTP", "TestSupport", crypto], exclude: ["peer.py"]),
        tests(
            "ObjectStoreTests", ["Checksums", "HTTP", "ObjectStore", "Recording", "TestSupport"],
            exclude: ["answers.py", "vectors.json", "vectors.py"],
            resources: [.embedInCode("Vectors/azure-shared-key.json")]),
        tests(
            "SyncTests",
            [
                "Sync", "Supervision", "Catalog", "Checksums", "Footage", "HTTP", "ObjectStore", "SegmentStore",
                "FragmentedMP4", "Messages", "Timeline", "Varlink",
                "Recording", "TestSupport", log,
            ]),
        tests(
            "TimelineTests", ["Timeline", "Footage", "FragmentedMP4", "Recording", "TestSupport"],
            exclude: ["files.py"]),
        tests(
            "FootageTests",
            [
                "Footage", "Catalog", "Checksums", "FragmentedMP4", "Messages", "ObjectStore", "Recording",
                "SegmentStore", "TestSupport",
            ]),
        tests(
            "PlaybackTests",
            [
                "Playback", "Catalog", "Footage", "FragmentedMP4", "HTTP", "Messages", "ObjectStore", "Recording",
                "SegmentStore", "Serving", "Timeline", "TestSupport", crypto, slowHashes, jwt, lifecycle, log,
            ], exclude: ["dash.py"]),
        tests("PreviewTests", ["Preview", "TestSupport"]),
        tests("StructureTests", []),
        tests(
            "DocumentationTests",
            ["TestSupport", "YAMLConfiguration", "JSON", "MediaGraph", "Messages", "ObjectStore", "Recording"]),

        // The real processes, driven from outside.
        .target(
            name: "TestSupport", dependencies: ["HTTP", "JSON", "Messages", "Recording", "FragmentedMP4"],
            path: "Tests/TestSupport",
            swiftSettings: testing),
        tests("MachineTests", ["TestSupport", "Messages", "Recording", "FragmentedMP4"]),
        tests(
            "EndToEndTests", ["JSON", "TestSupport", "Messages", "Recording", "FragmentedMP4"],
            exclude: ["lva.py", "lvagraphs.py"]),
        tests("BrowserTests", ["Messages", "Recording", "TestSupport"], exclude: ["browser.py", "player.js"]),
        tests("CrashTests", ["JSON", "TestSupport", "Messages", "Recording", "FragmentedMP4"]),
    ]
)
