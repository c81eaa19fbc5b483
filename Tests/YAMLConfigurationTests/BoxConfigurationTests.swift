import Foundation
import Recording
import Testing
import YAMLConfiguration

@Suite("Configuration: values")
struct BoxConfigurationTests {
    @Test("only store.url is required; the rest has defaults")
    func defaults() throws {
        let box = try box(store + "cameras: { front: { url: rtsp://10.0.0.21/stream1 } }")
        #expect(box.site.text == "plant7" || box.site.text == "plant")
        #expect(box.runtimePath == "/run/cvr")
        #expect(box.statePath == "/var/lib/cvr/state")
        #expect(box.cachePath == "/var/lib/cvr/cache")
        #expect(box.minimumFreePercent == 5)
        #expect(box.store.url == "file:///s")
        #expect(!box.trustsClock)
        let camera = try #require(CameraName("front").flatMap { box.cameras[$0] })
        #expect(camera.segmentLength == .seconds(30))
        #expect(camera.retention == nil)
        #expect(camera.transport == .tcp)
        #expect(camera.asset == "front")
        #expect(camera.cacheFull == .dropOldest)
        #expect(camera.cacheBudgetBytes == nil)
        #expect(camera.enabled)
        #expect(camera.origin == "cvr.yaml")
    }

    @Test("a camera takes the defaults, and its own values over them")
    func inheritance() throws {
        let box = try box(
            """
            site: plant-7
            cache: { localMediaCacheMaximumSizeMiB: 2048, cacheFull: stopRecording }
            store: { url: "file:///s/" }
            defaults: { segmentLength: PT10S, retention: P30D, transport: udp }
            clock: { trust: always }
            cameras:
              front: { url: "rtsp://[fe80::1]:8554/a?b=c&d=e@f", username: admin, credential: front-door }
              yard:
                url: rtsps://10.0.0.22/main
                tls: { verify: none }
                segmentLength: PT5M
                retention: P7D
                assetNamePattern: "yard-${System.GraphTopologyName}-${System.GraphInstanceName}"
                localMediaCacheMaximumSizeMiB: 1
                cacheFull: dropOldest
            """)
        #expect(box.trustsClock)
        #expect(box.store.url == "file:///s")
        let front = try #require(CameraName("front").flatMap { box.cameras[$0] })
        #expect(front.transport == .udp)
        #expect(front.retention == .seconds(30 * 86_400))
        #expect(front.cacheBudgetBytes == 2048 << 20)
        #expect(front.cacheFull == .stopRecording)
        #expect(front.credential == "front-door")
        let yard = try #require(CameraName("yard").flatMap { box.cameras[$0] })
        #expect(yard.segmentLength == .seconds(300))
        #expect(yard.asset == "yard-cvr-asset-yard")
        #expect(yard.transport == .tcp)
        #expect(yard.acceptsUnverifiedTLS)
        #expect(yard.cacheBudgetBytes == 1 << 20)
        #expect(yard.cacheFull == .dropOldest)
    }

    @Test(
        "ISO 8601 durations",
        arguments: [
            ("PT30S", 30.0), ("PT0M30S", 30), ("PT5M", 300), ("PT1H", 3600), ("P1D", 86_400), ("P1W", 604_800),
            ("P1M", 2_592_000), ("P1Y", 31_536_000), ("P1Y2M3DT4H5M6.5S", 36_993_906.5), ("PT2.000001S", 2.000001),
        ])
    func durations(text: String, seconds: Double) throws {
        #expect(try Values.duration(text).seconds == seconds)
    }

    @Test(
        "texts that are no duration",
        arguments: [
            "", "P", "PT", "P1DT", "30S", "PT30", "PT-1S", "P1S", "PT1D", "PT1S1M", "PT1S1S", "PTT1S", "PT1.S",
            "PT.5S", "PT1.1.1S", "pt30s", "PT٣S", "PT9999999999999999999S", "P1D2", "PT 1S", "PT1,5S",
        ])
    func notDurations(text: String) {
        #expect(throws: BadValue.self) { try Values.duration(text) }
    }

    @Test("a store that is a service has its credential, authority, proxy and storage class")
    func services() throws {
        let s3 = try box(
            """
            store:
              url: s3://footage/fleet?region=eu-central-1
              credential: store
              certificateAuthority: /etc/cvr/authority.pem
              proxy: http://proxy.example:3128
              storageClass: STANDARD_IA
            """
        ).store
        #expect(
            s3.location == .s3(.init(bucket: "footage", prefix: "fleet", endpoint: nil, region: "eu-central-1")))
        #expect(s3.credential == "store" && s3.certificateAuthority == "/etc/cvr/authority.pem")
        #expect(s3.proxy == "http://proxy.example:3128" && s3.storageClass == "STANDARD_IA")
        let azure = try box("store: { url: azblob://plant7/footage, credential: /c, storageClass: Cool }").store
        #expect(azure.url == "azblob://plant7/footage" && azure.storageClass == "Cool")
    }

    @Test("cameras.d adds cameras and stops those of cvr.yaml")
    func added() throws {
        let box = try box(
            store + "cameras: { front: { url: rtsp://h/ } }",
            added: [
                "front": "enabled: false\n",
                "porch": ConfigurationFiles.render([("url", "rtsp://h/p"), ("username", "a\"b\\c")], enabled: false),
                "gone": "enabled: false\n",
            ])
        #expect(box.cameras.keys.map(\.text).sorted() == ["front", "porch"])
        #expect(box.cameras.values.allSatisfy { !$0.enabled })
        let porch = try #require(CameraName("porch").flatMap { box.cameras[$0] })
        #expect(porch.username == "a\"b\\c")
        #expect(porch.origin == "cameras.d/porch.yaml")
    }

    @Test("setting enabled keeps the rest of a file, and leaves none that says nothing")
    func enabling() {
        let text = ConfigurationFiles.render([("url", "rtsp://h/p")], enabled: true)
        let stopped = ConfigurationFiles.setEnabled(false, in: text)
        #expect(stopped == ConfigurationFiles.render([("url", "rtsp://h/p")], enabled: false))
        #expect(ConfigurationFiles.setEnabled(false, in: stopped ?? "") == stopped)
        #expect(ConfigurationFiles.setEnabled(true, in: stopped ?? "") == text)
        #expect(ConfigurationFiles.setEnabled(false, in: "") == "enabled: false\n")
        #expect(ConfigurationFiles.setEnabled(true, in: "enabled: false\n") == nil)
    }

    @Test("files of media graphs have places of their own")
    func filePaths() throws {
        #expect(try box(store).filePaths == ["/var/media"], "as LVA's samples have it")
        #expect(try box(store + "graph: { filePaths: [] }").filePaths.isEmpty)
        #expect(try box(store + "cache: { path: /var/media/cache }").filePaths.isEmpty)
        #expect(
            try box(store + "graph: { filePaths: [/var/media/, /srv/clips] }").filePaths == [
                "/var/media", "/srv/clips",
            ])
        for path in ["/var/lib/cvr", "/var/lib/cvr/cache/front", "/run/cvr", "/s", "/s/clips"] {
            let found = mistakes(store + "graph: { filePaths: [\(path)] }")
            #expect(found.count == 1 && found.first?.contains("graph.filePaths") == true, "\(found)")
        }
        #expect(mistakes(store + "graph: { filePaths: [clips] }").count == 1)
        #expect(try box(store + "defaults: { transport: http }").usual.transport == .http)
    }

    @Test("etc/cvr.yaml is valid as shipped and with every commented setting, and shows every key of the schema")
    func shippedFile() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../etc/cvr.yaml")
        let text = try String(contentsOf: path, encoding: .utf8)
        let shipped = try box(text)
        #expect(shipped.cameras.isEmpty)
        let everything = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.contains(/^ *#[a-z]/) ? String(line.replacing("#", with: "", maxReplacements: 1)) : String(line)
        }.joined(separator: "\n")
        let full = try box(everything)
        #expect(full.cameras.count == 2)
        var defaulted = full
        defaulted.site = shipped.site
        defaulted.store = shipped.store
        defaulted.playback = shipped.playback
        #expect(full.gateway != nil && shipped.gateway == nil, "off unless asked for")
        defaulted.gateway = nil
        defaulted.usual = shipped.usual
        defaulted.cameras = [:]
        #expect(defaulted == shipped, "a commented setting elsewhere shows its default")
        let words = Set(everything.split { !$0.isLetter }.map(String.init))
        for (section, keys) in Schema.sections {
            for key in keys { #expect(words.contains(key), "\(section).\(key) is not in etc/cvr.yaml") }
        }
    }

    @Test("files are read and written whole")
    func files() throws {
        let root = NSTemporaryDirectory() + "cvr-configuration-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }  // a leftover in /tmp harms nothing
        try SmallFile.makeDirectory(root + "/state/cameras.d")
        try SmallFile.write(Array("\(store)state: { path: \(root)/state }".utf8), to: root + "/cvr.yaml", mode: 0o600)
        try SmallFile.write(Array("url: rtsp://h/".utf8), to: root + "/state/cameras.d/a.yaml", mode: 0o600)
        try SmallFile.write(Array("nonsense".utf8), to: root + "/state/cameras.d/.b.yaml.new", mode: 0o600)
        let files = ConfigurationFiles(mainPath: root + "/cvr.yaml")
        #expect(try files.load().cameras.count == 1)
        #expect(try files.load(candidate: ("c", "url: rtsp://h/")).cameras.count == 2)
        #expect(throws: ConfigurationError.self) { try files.load(candidate: ("c", "url: rtsp://u:p@h/")) }
        // One that cannot be read hides no mistake of the others.
        try SmallFile.makeDirectory(root + "/state/cameras.d/d.yaml")
        try SmallFile.write(Array("url: http://h/".utf8), to: root + "/state/cameras.d/e.yaml", mode: 0o600)
        let broken = #expect(throws: ConfigurationError.self) { try files.load() }
        #expect(broken?.mistakes.count == 2)
        rmdir(root + "/state/cameras.d/d.yaml")
        try SmallFile.remove(root + "/state/cameras.d/e.yaml")
        try SmallFile.remove(root + "/state/cameras.d/a.yaml")
        #expect(try files.load().cameras.isEmpty)
        #expect(throws: ConfigurationError.self) { try ConfigurationFiles(mainPath: root + "/none").load() }
        #expect(throws: ConfigurationError.self) { try ConfigurationFiles(mainPath: root).load() }
        #expect(throws: FileError.self) { try SmallFile.read(root + "/cvr.yaml", limit: 4) }
    }
}
