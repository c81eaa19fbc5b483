import HTTP
import Recording

/// One request of ListObjectsV2.
struct S3Page {
    var prefix: String
    /// The key after which to start, or what the page before said.
    var after = ""
    var token = ""
    var limit = 1000

    var query: [(name: String, value: String)] {
        let words = [
            ("prefix", prefix), ("start-after", after), ("continuation-token", token),
        ]
        return [("list-type", "2"), ("max-keys", String(limit))]
            + words.filter { !$0.1.isEmpty }.map { ($0.0, S3Signature.encoded($0.1)) }
    }
}

extension S3Store {
    /// By key, as the store sorts them.
    package func list(
        _ prefix: String, after last: ObjectKey?, skipped: (ObjectStoreError) throws -> Void,
        _ body: (ObjectKey, Int64) throws -> Void
    ) throws {
        let root = connection.address.prefix
        let page = S3Page(prefix: "\(root)\(prefix)/", after: last.map { root + $0.text } ?? "")
        try everyPage(page) { name, bytes in
            if let key = connection.address.key(name).flatMap({ ObjectKey($0) }) { try body(key, bytes) }
        }
    }

    /// Every object of a listing, page for page.
    func everyPage(_ first: S3Page, _ body: (String, Int64) throws -> Void) throws {
        var next: S3Page? = first
        while let current = next {
            let (objects, token) = try page(current)
            for (name, bytes) in objects { try body(name, bytes) }
            next = nil
            if let token {
                next = current
                next?.after = ""
                next?.token = token
            }
        }
    }

    /// The objects of one page, and the word that asks for the next one.
    func page(_ page: S3Page) throws -> (objects: [(String, Int64)], next: String?) {
        let bucket = connection.bucket
        var request = S3Request("list", "GET", bucket.thing, path: bucket.path)
        request.query = page.query
        request.bill = .list
        let response = try connection.send(request)
        guard response.status == 200 else { throw connection.refusal(request, response) }
        let leaves: [XMLScanner.Leaf]
        do { leaves = try XMLScanner.leaves(response.body, root: "ListBucketResult") } catch {
            throw connection.stranger(request)
        }
        var objects: [(String, Int64)] = []
        for leaf in leaves where leaf.path.dropFirst().first == "Contents" {
            if leaf.path.last == "Key" {
                objects.append((leaf.text, -1))
            } else if leaf.path.last == "Size", let bytes = Int64(leaf.text), !objects.isEmpty {
                objects[objects.count - 1].1 = bytes
            }
        }
        let isLast = leaves.contains { $0.path.last == "IsTruncated" && $0.text == "false" }
        let next = leaves.first { $0.path.last == "NextContinuationToken" }?.text
        // Half a page, or a page that leads back to itself, is none.
        guard objects.allSatisfy({ $0.1 >= 0 }), isLast || next.map({ !$0.isEmpty && $0 != page.token }) == true else {
            throw connection.stranger(request)
        }
        return (objects, isLast ? nil : next)
    }
}
