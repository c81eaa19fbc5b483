import Recording
import Testing

@Suite("Percent-encoding")
struct PercentEncodingTests {
    @Test(
        "all but the unreserved characters are encoded, byte by byte",
        arguments: [
            ("aZ09-._~", "aZ09-._~"), ("a b/ü", "a%20b%2F%C3%BC"), ("%\u{0}", "%25%00"), ("", ""),
        ])
    func encoded(text: String, expected: String) {
        #expect(PercentEncoding.encoded(text) == expected)
        #expect(PercentEncoding.length(of: text) == expected.utf8.count)
    }
}

@Suite("Recording: addresses and origins") struct AddressTests {
    @Test("a block holds the addresses that begin as it does, of IPv4 also as IPv6 writes them")
    func blocks() throws {
        let rows: [(block: String, inside: [String], outside: [String])] = [
            ("10.0.0.7", ["10.0.0.7", "::ffff:10.0.0.7"], ["10.0.0.6", "::7"]),
            ("10.0.0.0/8", ["10.255.0.1", "10.1.0.0/16"], ["11.0.0.0", "0.0.0.0/0", "::1"]),
            ("192.168.8.0/22", ["192.168.11.255"], ["192.168.12.0", "192.168.7.255"]),
            ("0.0.0.0/0", ["255.1.2.3"], ["2001:db8::1"]), ("::/0", ["::1", "1.2.3.4"], []),
            ("2001:db8::/33", ["2001:db8:7fff::1"], ["2001:db8:8000::1", "2001:db9::"]),
        ]
        for row in rows {
            let block = try #require(AddressBlock(row.block))
            for text in row.inside { #expect(block.contains(try #require(AddressBlock(text))), "\(row.block) \(text)") }
            for text in row.outside {
                #expect(!block.contains(try #require(AddressBlock(text))), "\(row.block) \(text)")
            }
        }
    }

    @Test(
        "what is no address and no block is nil",
        arguments: [
            "", "/", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "::1/129", "localhost",
            "[::1]", "1.2.3.4:80", "256.0.0.1", "1::2::3", " 1.2.3.4",
        ])
    func noBlock(text: String) { #expect(AddressBlock(text) == nil) }

    @Test("an origin is written as browsers do")
    func origins() {
        let rows = [
            ("https://portal.example", "https://portal.example"),
            ("HTTPS://Portal.Example:443", "https://portal.example"),
            ("http://10.0.0.7:8080", "http://10.0.0.7:8080"), ("http://h:80", "http://h"),
            ("http://h:443", "http://h:443"), ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
            ("https://[::1]", "https://[::1]"),
        ]
        for (text, origin) in rows { #expect(WebOrigin(text)?.description == origin, "\(text)") }
    }

    @Test(
        "what is no origin is nil",
        arguments: [
            "", "*", "null", "portal.example", "https://", "https://h/", "https://h/x", "https://u@h", "ftp://h",
            "https://h:", "https://h:0", "https://h:65536", "https://h:x", "https://[::1", "https://[x]", "https://h?x",
            "https://h h", "https://é.example", "https://[::1]x",
        ])
    func noOrigin(text: String) { #expect(WebOrigin(text) == nil) }
}
