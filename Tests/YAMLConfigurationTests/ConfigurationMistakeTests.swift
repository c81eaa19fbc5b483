import Testing
import YAMLConfiguration

/// Reads `text` as cvr.yaml, with `added` as the files of cameras.d.
func box(_ text: String, added: [String: String] = [:]) throws(ConfigurationError) -> BoxConfiguration {
    try BoxConfiguration(main: ConfigurationText(file: "cvr.yaml", text: text), hostName: "Plant 7.example.org") {
        _ in
        let texts = added.reduce(into: [:]) { files, entry in
            files[entry.key] = ConfigurationText(file: "cameras.d/\(entry.key).yaml", text: entry.value)
        }
        return (texts, [])
    }
}

func mistakes(_ text: String, added: [String: String] = [:]) -> [String] {
    do throws(ConfigurationError) {
        _ = try box(text, added: added)
        return []
    } catch {
        return error.mistakes.map(\.description)
    }
}

let store = "store: { url: file:///s }\n"

@Suite("Configuration: mistakes")
struct ConfigurationMistakeTests {
    @Test("every mistake is reported at once, with its line, key and the nearest valid key")
    func everyMistakeAtOnce() {
        let text = """
            sight: plant-7
            runtime: { pth: /run/cvr }
            cache:
              minimumFree: 120%
              cacheFull: dropoldes
            store:
              url: s3://bucket/prefix
              bandwith: { limit: 20Mbps }
            cameras:
              front:
                url: rtsp://admin:hunter2@10.0.0.21/stream1
                segmentLenght: PT5M
              yard:
                url: rtsps://10.0.0.22/main
                segmentLength: PT1S
                retention: 30 days
              Porch: { url: rtsp://10.0.0.23/ }
              sync: { url: rtsp://10.0.0.23/ }
            """
        #expect(
            mistakes(text)
                == [
                    "cvr.yaml:1: sight: unknown key; did you mean site?",
                    "cvr.yaml:4: cache.minimumFree: "
                        + "not a percentage of the disk between 0% and 90%, such as 5%",
                    "cvr.yaml:2: runtime.pth: unknown key; did you mean path?",
                    "cvr.yaml:8: store.bandwith: unknown key; did you mean bandwidth?",
                    "cvr.yaml:7: store.url: this store needs a credential; add credential: NAME",
                    "cvr.yaml:5: cache.cacheFull: expected dropOldest or stopRecording",
                    "cvr.yaml:12: cameras.front.segmentLenght: unknown key; did you mean segmentLength?",
                    "cvr.yaml:11: cameras.front.url: holds a user name or password; write username: NAME and "
                        + "credential: FILE instead, and the password into the 0600 file of that name in the state's "
                        + "credentials directory",
                    "cvr.yaml:15: cameras.yard.segmentLength: PT1S is outside PT2S...PT1H",
                    "cvr.yaml:16: cameras.yard.retention: "
                        + "not an ISO 8601 duration such as PT30S, PT5M, P30D or P1Y",
                    "cvr.yaml:14: cameras.yard.url: this version cannot verify an rtsps camera's certificate; add "
                        + "tls: { verify: none } to accept that, or use rtsp://",
                    "cvr.yaml:17: cameras.Porch: not a camera's name: [a-z0-9][a-z0-9-]{0,31}",
                    "cvr.yaml:18: cameras.sync: is the name of cvr-sync's directory; choose another",
                ].sorted(by: { line($0) < line($1) }))
    }

    func line(_ mistake: String) -> Int { Int(mistake.split(separator: ":")[1]) ?? 0 }

    @Test(
        "no form of userinfo in a URL is accepted, nor quoted",
        arguments: [
            "rtsp://u:hunter2@h/", "rtsp://u@h/", "rtsp://u:hun/ter2@h/x", "RTSP://u:hunter2@h", "rtsp://:hunter2@h/",
            "rtsp://u:hunter2?@h/",
        ])
    func userinfo(url: String) {
        let found = mistakes(store + "cameras: { a: { url: '\(url)' } }")
        #expect(found.count == 1)
        #expect(found.allSatisfy { !$0.contains("hunter2") && !$0.contains("ter2@") && $0.contains("credential") })
    }

    @Test(
        "what is not the configuration's shape is refused with its line",
        arguments: [
            ("", "cvr.yaml: empty; only store.url is required"),
            ("a: [", "cvr.yaml:2: not YAML"),
            ("- store", "cvr.yaml:1: is a list, expected keys with values"),
            ("store: file:///s", "cvr.yaml:1: store: is one value, expected keys with values"),
            (
                "store: { url: file:///s, proxy: http://p:1 }",
                "cvr.yaml:1: store.proxy: a file: store needs none; remove it"
            ),
            (
                "store: { url: s3://bucket, credential: c, storageClass: GLACIER }",
                "cvr.yaml:1: store.storageClass: not a class whose objects can be read at once; "
                    + "did you mean GLACIER_IR?"
            ),
            (
                "store: { url: s3://bucket, credential: c, proxy: http://u:p@h:1 }",
                "cvr.yaml:1: store.proxy: a proxy is http://HOST:PORT, without user name, password and path"
            ),
            (
                "store: { url: s3://key:hunter2@bucket, credential: c }",
                "cvr.yaml:1: store.url: holds a user name or key; write credential: NAME instead"
            ),
            ("store: { url: [file:///s] }", "cvr.yaml:1: store.url: is a list, expected one value"),
            ("store:\n  url:\n", "cvr.yaml:2: store.url: is empty; write a value or remove the key"),
            (
                "site: x\nstore: {}\n",
                "cvr.yaml:2: store.url: is missing; "
                    + "add url: file:///ABSOLUTE/PATH, s3://BUCKET or azblob://ACCOUNT/CONTAINER"
            ),
            (
                "\nsite: x\n",
                "cvr.yaml:2: store.url: is missing; "
                    + "add url: file:///ABSOLUTE/PATH, s3://BUCKET or azblob://ACCOUNT/CONTAINER"
            ),
            (store + store, "cvr.yaml:1: written twice: store"),
            (store + "cameras:\n  a: { url: rtsp://h/ }\n  a: { url: rtsp://h/ }", "cvr.yaml:3: written twice: a"),
            (store + "x: &a [1]\ny: *a", "cvr.yaml:2: anchors (&name) are not supported; write the values out"),
            (store + "---\n" + store, "cvr.yaml:2: not YAML"),
            (store + "? [a]\n: b", "cvr.yaml:2: a key that is not a word"),
        ])
    func shape(text: String, expected: String) {
        let found = mistakes(text)
        #expect(found.contains { $0.hasPrefix(expected) }, "\(found)")
    }

    @Test("nesting, aliases and size are bounded")
    func bounds() {
        #expect(!mistakes(String(repeating: "[", count: 100_000)).isEmpty)
        #expect(!mistakes(String(repeating: "- ", count: 100_000)).isEmpty)
        #expect(
            !mistakes(store + "a: " + String(repeating: "[", count: 900) + String(repeating: "]", count: 900)).isEmpty)
        var bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        for name in "bcdefghij" { bomb += "\(name): &\(name) [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n" }
        #expect(mistakes(bomb + store).count == 1)
        #expect(
            mistakes(store + String(repeating: "#\n", count: 600_000)) == [
                "cvr.yaml: larger than 1048576 bytes; this is not a CVR configuration"
            ])
    }

    @Test("two cameras in one asset, a camera in two files and a socket path too long are mistakes")
    func crossChecks() {
        #expect(
            mistakes(
                store + """
                    cameras:
                      a: { url: rtsp://h/ }
                      b:
                        url: rtsp://h/
                        assetNamePattern: "a"
                    """) == [
                    "cvr.yaml:6: cameras.b.assetNamePattern: gives the same asset as a: a; each camera needs its own"
                ])
        #expect(
            mistakes(store + "cameras: { a: { url: rtsp://h/ } }", added: ["a": "url: rtsp://h/\n"]) == [
                "cameras.d/a.yaml:1: a is also in cvr.yaml; keep it in one of the two files"
            ])
        let long = String(repeating: "x", count: 100)
        #expect(
            mistakes(store + "runtime:\n  path: /\(long)\n") == [
                "cvr.yaml:3: runtime.path: too long: a socket below it would need 124 bytes, a Unix socket's path has "
                    + "at most 107; use at most 84"
            ])
        #expect(mistakes("store: { url: file:///c/s }\ncache: { path: /c }").count == 1)
        #expect(mistakes("store: { url: file:///c }\ncache: { path: /c/d }").count == 1)
        #expect(mistakes("store: { url: file:///c }\ncache: { path: /cc }").isEmpty)
        for key in ["state", "runtime"] {
            #expect(mistakes(store + "cache: { path: /c }\n\(key): { path: /c/d }").count == 1, "\(key)")
            #expect(mistakes(store + "cache: { path: /c/d }\n\(key): { path: /c }").count == 1, "\(key)")
            #expect(mistakes(store + "cache: { path: /c }\n\(key): { path: /cc }").isEmpty, "\(key)")
        }
        #expect(mistakes(store + "cache: { path: /var/lib/cvr }").count == 1)
    }

    @Test(
        "a camera's bad values are refused",
        arguments: [
            "url: http://h/", "url: rtsp://", "url: rtsp:/h", "url: 'rtsp://h:99999/'", "url: 'rtsp://h/#x'",
            "url: 'rtsp://h /'", "url: 'rtsp://[::1/'", "url: rtsp://h/\ncredential: c", "username: u",
            "url: rtsp://h/\nusername: u\ncredential: ../c", "url: rtsp://h/\nassetNamePattern: '${System.DateTime}'",
            "url: rtsp://h/\nassetNamePattern: 'a/b'", "url: rtsp://h/\nassetNamePattern: '..'",
            "url: rtsp://h/\nassetNamePattern: '${System.GraphInstanceName'", "url: rtsp://h/\ntls: { verify: full }",
            "url: rtsps://h/\ntls: { verify: none }\ntransport: udp", "url: rtsp://h/\nenabled: maybe",
            "url: rtsp://h/\nretention: PT5S", "url: rtsp://h/\nretention: P0D",
            "url: rtsp://h/\nlocalMediaCacheMaximumSizeMiB: 0", "url: rtsp://h/\nlocalMediaCacheMaximumSizeMiB: 2GiB",
            "url: rtsp://h/\nusername: \"a\\nb\"",
        ])
    func badCamera(text: String) {
        #expect(!mistakes(store, added: ["a": text]).isEmpty)
    }
}
