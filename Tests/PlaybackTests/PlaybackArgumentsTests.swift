import Playback
import Recording
import Testing

@Suite("Playback: command line")
struct PlaybackArgumentsTests {
    private func read(_ words: String) throws -> PlaybackArguments {
        try PlaybackArguments(words.split(separator: " ").map(String.init))
    }

    @Test("cvrd says where the box's places are, a replica's operator which files it reads")
    func whole() throws {
        let box = try read("--run /r --cache /c --state /s --store file:///p --listen 127.0.0.1:0")
        #expect(box.setting == .box(run: "/r", cache: "/c", state: "/s") && box.listen.port == 0)
        let alone = try read(
            "--store s3://bucket/prefix/site --listen [::1]:80 --credential k --tls-certificate c --tls-key t --access a"
        )
        let replica = PlaybackArguments.Replica(credential: "k", certificate: "c", key: "t", access: "a")
        #expect(alone.setting == .alone(replica))
    }

    @Test(
        "a mistake is named",
        arguments: [
            "", "--store file:///p/s", "--listen 127.0.0.1:1", "--store file:///p/s --listen localhost:80",
            "--store ftp://h/s --listen 127.0.0.1:1", "--store file:///p/s --listen 127.0.0.1:1 --verbose",
            "--store file:///p/s --listen 127.0.0.1:1 --access", "--store file:///p/s --listen 127.0.0.1:1 --run /r",
            "--run r --cache /c --state /s --store file:///p --listen 127.0.0.1:0",
            "--run /r --cache /c --state /s --access /a --store file:///p --listen 127.0.0.1:0",
            "--store file:///p/s --listen 127.0.0.1:1 --listen 127.0.0.1:2",
            "--store file:///p/s --listen 127.0.0.1:1 --tls-key k",
            "--store file:///p/s --listen 127.0.0.1:1 --cache /c",
        ])
    func mistakes(words: String) { #expect(throws: PlaybackArguments.Mistake.self) { try read(words) } }

    @Test(
        "the site is the last part of the store's path",
        arguments: [
            ("file:///srv/store/plant-7", "/srv/store", "plant-7"),
            ("s3://bucket/a/b/plant-7", "s3://bucket/a/b", "plant-7"),
            ("s3://bucket/plant-7", "s3://bucket", "plant-7"),
            ("azblob://account/box/plant-7", "azblob://account/box", "plant-7"),
        ])
    func sites(url: String, place: String, site: String) throws {
        let (store, found) = try #require(try StoreLocation(url).splittingSite)
        #expect(store.place == place && found.text == site)
    }

    @Test("a store without a site is none of a replica's", arguments: ["file:///", "s3://bucket", "file:///srv/Store"])
    func noSite(url: String) throws { #expect(try StoreLocation(url).splittingSite == nil) }
}
