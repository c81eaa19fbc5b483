import HTTP
import Testing

@Suite("HTTP request")
struct HTTPRequestTests {
    @Test(
        "of a URL only scheme, host and port are ever shown",
        arguments: [
            ("https://acme.blob.core.windows.net/c/x?sig=SECRET", "https://acme.blob.core.windows.net"),
            ("http://user:SECRET@127.0.0.1:9000/b", "http://127.0.0.1:9000"), ("https://h", "https://h"),
            ("https://h?sig=SECRET", "https://h"), ("nonsense SECRET", ""),
        ])
    func origin(url: String, origin: String) { #expect(HTTPRequest("GET", url).origin == origin) }
}
