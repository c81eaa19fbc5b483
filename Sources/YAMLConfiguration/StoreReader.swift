import Recording

extension StoreConfiguration {
    /// Reads the section `store`; mistakes are in its list.
    init(_ section: Section) {
        let hint = "add url: file:///ABSOLUTE/PATH, s3://BUCKET or azblob://ACCOUNT/CONTAINER"
        let read = section.required("url", hint: hint, Addresses.store)
        let (url, location) = read ?? ("", .file(path: "/\u{0}"))
        self.init(
            url: url, location: location, credential: section.value("credential", CredentialName.parse),
            certificateAuthority: section.value("certificateAuthority", Values.path),
            proxy: section.value("proxy", Addresses.proxy), storageClass: nil,
            prices: section.value("prices", Values.path),
            bandwidth: BandwidthConfiguration(section.section("bandwidth", schema: "store.bandwidth")))
        storageClass = section.value("storageClass") { text throws(BadValue) in
            try StorageClass.parse(text, in: location)
        }
        guard read != nil else { return }
        if location.folder != nil {
            for key in ["certificateAuthority", "proxy"] where section.has(key) {
                section.report(key, "a file: store needs none; remove it")
            }
        } else if credential == nil, !section.has("credential") {
            section.report("url", "this store needs a credential; add credential: NAME")
        }
    }
}

/// The classes that keep footage at hand: what must be thawed for hours first cannot be played.
enum StorageClass {
    static let s3 = [
        "STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY",
        "EXPRESS_ONEZONE",
    ]
    static let azure = ["Hot", "Cool", "Cold", "Premium"]

    static func parse(_ text: String, in location: StoreLocation) throws(BadValue) -> String {
        let known: [String]
        switch location {
        case .file: throw BadValue("a file: store has none; remove it")
        case .s3: known = s3
        case .azureBlob: known = azure
        }
        guard known.contains(text) else {
            let nearest = Schema.nearest(to: text, among: known) ?? ""
            throw BadValue("not a class whose objects can be read at once; did you mean \(nearest)?")
        }
        return text
    }
}
