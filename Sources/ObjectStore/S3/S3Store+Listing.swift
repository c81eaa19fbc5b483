import HTTP
import Recording

/// One request of ListObjectsV2.
struct S3Page {
    var prefix: String
    /// The key after which to start, or what the page before said.
    var after = ""
    var token = ""
    /// Ends the names of folders, which are listed in place of what lies in them.
    var delimiter = ""
    var limit = 1000

    var query: [(name: String, value: String)] {
        let words = [
            ("prefix", prefix), ("start-after", after), ("continuation-token", token), ("delimiter", delimiter),
        ]
        return [("list-type", "2"), ("max-keys", String(limit))]
            + words.filter { !$0.1.isEmpty }.map { ($0.0, S3Signature.encoded($0.1)) }
    }
}

/// What it answers: the keys and lengths of objects, the prefixes that end with the delimiter, and the word that asks
/// for the next page.
struct S3Listed {
    var objects: [(key: String, bytes: Int64)] = []
    var folders: [String] = []
    var next: String?
}

extension S3Store {
    /// By key, as the store sorts them.
    package func list(
        _ prefix: String, after last: ObjectKey?, skipped: (ObjectStoreError) throws -> Void,
        _ body: (ObjectKey, Int64) throws -> Void
    ) throws {
        let root = connection.address.prefix
        let page = S3Page(prefix: "\(root)\(prefix)/", after: last.map { root + $0.text } ?? "")
        try everyPage(page) { listed in
            for (name, bytes) in listed.objects {
                if let key = connection.address.key(name).flatMap({ ObjectKey($0) }) { try body(key, bytes) }
            }
        }
    }

    /// A listing, page for page.
    func everyPage(_ first: S3Page, _ body: (S3Listed) throws -> Void) throws {
        var (current, repeats) = (first, ListingRepeats())
        while true {
            let listed = try page(current)
            try body(listed)
            guard let token = listed.next else { return }
            guard repeats.isNews(token, after: listed.objects.last?.key ?? listed.folders.last) else {
                throw connection.stranger(S3Request("list", "GET", connection.bucket.thing, path: ""))
            }
            (current.after, current.token) = ("", token)
        }
    }

    func page(_ page: S3Page) throws -> S3Listed {
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
        var listed = S3Listed()
        for leaf in leaves {
            switch leaf.path.dropFirst() {
            case ["Contents", "Key"]: listed.objects.append((leaf.text, -1))
            case ["Contents", "Size"]:
                guard let bytes = Int64(leaf.text), let last = listed.objects.indices.last else { break }
                listed.objects[last].bytes = bytes
            case ["CommonPrefixes", "Prefix"]: listed.folders.append(leaf.text)
            default: break
            }
        }
        let isLast = leaves.contains { $0.path.last == "IsTruncated" && $0.text == "false" }
        let next = leaves.first { $0.path.last == "NextContinuationToken" }?.text
        // Half a page, or a page that leads back to itself, is none.
        guard listed.objects.allSatisfy({ $0.bytes >= 0 }),
            isLast || next.map({ !$0.isEmpty && $0 != page.token }) == true
        else { throw connection.stranger(request) }
        listed.next = isLast ? nil : next
        return listed
    }
}
