import ObjectStore
import Recording
import Testing

@Suite("Object key")
struct ObjectKeyTests {
    static let text = "plant-7/yard_A/2026-11-23/09/48-00.123Z.17.mp4"

    @Test("a key is its site, asset, start and counter, both ways")
    func grammar() throws {
        let key = try #require(ObjectKey(Self.text))
        #expect(key.site == "plant-7" && key.asset == "yard_A" && key.counter == 17)
        #expect(key.start.rfc3339 == "2026-11-23T09:48:00.123Z")
        let site = try #require(SiteName("plant-7"))
        let start = key.start + TimeSpan(microseconds: 999)
        #expect(ObjectKey(site: site, asset: "yard_A", start: start, counter: 17)?.text == Self.text)
    }

    @Test(
        "nothing that leaves its folder or means two things is a key",
        arguments: [
            "", "/", "..", "plant-7/../2026-11-23/09/48-00.123Z.17.mp4", "plant-7/./2026-11-23/09/48-00.123Z.17.mp4",
            "plant-7//2026-11-23/09/48-00.123Z.17.mp4", "/plant-7/yard_A/2026-11-23/09/48-00.123Z.17.mp4",
            "plant-7/.yard/2026-11-23/09/48-00.123Z.17.mp4", "plant-7/ya rd/2026-11-23/09/48-00.123Z.17.mp4",
            "plant-7/yard_A/2026-11-23/09/48-00.123Z.17.mp4/", "plant-7/yard_A/2026-11-23/09/48-00.123Z.17.mp4.meta",
            "plant-7/yard_A/2026-11-23/09/48-00.123Z.017.mp4", "plant-7/yard_A/2026-11-23/09/48-00.123Z.-1.mp4",
            "plant-7/yard_A/2026-02-30/09/48-00.123Z.17.mp4", "plant-7/yard_A/2026-11-23/24/48-00.123Z.17.mp4",
            "plant-7/yard_A/2026-11-23/09/48-00.1234Z.17.mp4", "plant-7/yard_A/2026-11-23/09/48-00.123+01:00.17.mp4",
            "plant-7/yard_A/2026-11-23/09/48-00.123Z.99999999999999999999.mp4",
            "PLANT/a/2026-11-23/09/48-00.123Z.1.mp4",
        ])
    func refused(text: String) { #expect(ObjectKey(text) == nil) }

    @Test("metadata stays below what S3 takes, with twenty seek points at most")
    func metadataSize() throws {
        let camera = try #require(CameraName("c" + String(repeating: "a", count: 31)))
        let points = (0..<3600).map { (milliseconds: Int64($0) * 1000, offset: Int64($0) * 1_000_000_000) }
        let metadata = ObjectMetadata(
            camera: camera, session: .max, duration: .seconds(3600), codecs: "hvc1.2.4.L153.B0,mp4a.40.2",
            timescale: 90_000, checksum: 0xAB, seek: points)
        #expect(metadata.seek.count == 20 && metadata.seek.first == [0, 0])
        #expect(metadata.crc32c == "000000ab" && metadata.checksum == 0xAB)
        let values = "\(metadata.camera)\(metadata.session)\(metadata.codecs)\(metadata.seek)\(metadata.crc32c)"
        #expect(values.utf8.count < 1500)
    }
}
