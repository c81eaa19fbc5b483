import Recording
import Testing

@Suite("Store location")
struct StoreLocationTests {
    @Test("each kind of store is read from its URL")
    func kinds() throws {
        #expect(try StoreLocation("file:///var/lib/cvr/store") == .file(path: "/var/lib/cvr/store"))
        #expect(
            try StoreLocation("s3://footage/fleet/a?region=eu-central-1")
                == .s3(.init(bucket: "footage", prefix: "fleet/a", endpoint: nil, region: "eu-central-1")))
        #expect(
            try StoreLocation("s3://footage?endpoint=http%3A%2F%2F127.0.0.1:8333/")
                == .s3(.init(bucket: "footage", prefix: "", endpoint: "http://127.0.0.1:8333", region: "us-east-1")))
        #expect(
            try StoreLocation("azblob://plant7/footage/a/?endpoint=https://[::1]:10000")
                == .azureBlob(
                    .init(account: "plant7", container: "footage", prefix: "a", endpoint: "https://[::1]:10000")))
    }

    @Test(
        "what is no store is refused, and not quoted",
        arguments: [
            "", "store", "ftp://a/b", "file://relative", "file:///a?b=c", "file:///a%2Fb", "s3://ab", "s3://UPPER",
            "s3://key:secret@bucket/a", "s3://bucket/../a", "s3://bucket//a", "s3://bucket/a b", "s3://bucket?region=",
            "s3://bucket?regio=a", "s3://bucket?endpoint=ftp://a", "s3://bucket?endpoint=https://a/path",
            "s3://bucket?endpoint=https://u:p@a", "s3://bucket?endpoint=%zz", "s3://bucket?region=a&region=b",
            "azblob://account", "azblob://acc-ount/container", "azblob://account/Container", "s3://bucket#a",
        ])
    func refused(url: String) throws {
        let mistake = #expect(throws: StoreLocation.Mistake.self) { try StoreLocation(url) }
        #expect(mistake?.message.contains("secret") == false)
    }
}
