import Recording

extension PlaybackConfiguration {
    /// Reads the section `playback`; mistakes are in its list.
    init(_ section: Section) {
        let listen = section.value("listen", Values.listen) ?? Listen.at(Self.usual.listen)
        self.init(listen: listen.address)
        tls = TLS(section.section("tls", schema: "playback.tls"))
        let accounts = section.section("accounts", schema: nil)
        for (name, _) in accounts.keys {
            self.accounts[name] = Account(name, in: accounts)
        }
        tokens = Tokens(section.section("tokens", schema: "playback.tokens"))
        signing = section.value("signing", CredentialName.parse)
        proxies = section.values("proxies", Values.block) ?? []
        origins = section.values("allowOrigins", Values.origin) ?? []
        guard let address = listen.address, !address.isLoopback else { return }
        if !section.has("tls") {
            section.report(
                "listen",
                "\(address) can be reached from other hosts, and nothing is encrypted; add tls: { certificate: FILE, "
                    + "key: FILE }, or listen at 127.0.0.1")
        }
        if accounts.keys.isEmpty, !section.has("tokens") {
            section.report(
                "listen",
                "\(address) can be reached from other hosts, and everybody there may watch; add accounts or tokens, or "
                    + "listen at 127.0.0.1")
        }
    }
}

/// `listen` of playback and gateway, of which nothing is a value too.
enum Listen {
    case none
    case at(ListenAddress?)

    var address: ListenAddress? { if case .at(let address) = self { address } else { nil } }
}

extension PlaybackConfiguration.TLS {
    init?(_ section: Section) {
        guard section.isPresent else { return nil }
        let certificate = section.required("certificate", hint: "add certificate: FILE (PEM)", Values.path)
        let key = section.required("key", hint: "add key: FILE (PEM, mode 0600)", CredentialName.parse)
        guard let certificate, let key else { return nil }
        self.init(certificate: certificate, key: key)
    }
}

extension PlaybackConfiguration.Account {
    /// The account of that name; nil for one with mistakes.
    fileprivate init?(_ name: String, in accounts: Section) {
        let section = accounts.section(name, schema: "playback.accounts.*")
        // A colon ends the name where a browser sends it (RFC 7617, 2).
        let isName =
            (1...64).contains(name.utf8.count)
            && name.allSatisfy { ($0.isASCII && ($0.isLetter || $0.isNumber)) || "-._@".contains($0) }
        if !isName { accounts.report(name, "not an account's name: 1 to 64 letters, digits, - . _ and @") }
        let credential = section.required("credential", hint: "add credential: NAME", CredentialName.parse)
        let cameras = section.values("cameras", Values.camera)
        guard let credential, isName else { return nil }
        self.init(credential: credential, cameras: cameras)
    }
}

extension PlaybackConfiguration.Tokens {
    fileprivate init?(_ section: Section) {
        guard section.isPresent else { return nil }
        let issuer = section.required("issuer", hint: "add issuer: TEXT, the tokens' iss", Values.printable)
        let audience = section.required("audience", hint: "add audience: TEXT, the tokens' aud", Values.printable)
        let sections = section.sections("keys", schema: "playback.tokens.keys")
        if sections.isEmpty {
            section.report("keys", "names no key; add keys: [{ kid: NAME, algorithm: ES256, file: FILE }]")
        }
        let keys = sections.compactMap { PlaybackConfiguration.TokenKey($0) }
        for (index, key) in keys.enumerated() where keys[..<index].contains(where: { $0.identifier == key.identifier })
        {
            section.report("keys", "two keys are called \(key.identifier); each needs a kid of its own")
        }
        guard let issuer, let audience else { return nil }
        self.init(issuer: issuer, audience: audience, keys: keys)
    }
}

extension PlaybackConfiguration.TokenKey {
    fileprivate init?(_ section: Section) {
        let identifier = section.required("kid", hint: "add kid: NAME, as in the tokens' header", Values.printable)
        let algorithm = section.required(
            "algorithm", hint: "add algorithm: one of \(TokenAlgorithm.names)", Values.choice(TokenAlgorithm.self))
        let file = section.required("file", hint: "add file: FILE (PEM), the public key", Values.path)
        guard let identifier, let algorithm, let file else { return nil }
        self.init(identifier: identifier, algorithm: algorithm, file: file)
    }
}

extension Values {
    /// `ADDRESS:PORT`, or `none`.
    static func listen(_ text: String) throws(BadValue) -> Listen {
        if text == "none" { return .none }
        guard let address = ListenAddress(text) else {
            throw BadValue("not a numeric address and port such as 127.0.0.1:8480 or \"[::1]:8480\", nor none")
        }
        return .at(address)
    }

    fileprivate static func block(_ text: String) throws(BadValue) -> AddressBlock {
        guard let block = AddressBlock(text) else {
            throw BadValue("not a numeric address, nor a block of them such as 10.0.0.0/8")
        }
        return block
    }

    fileprivate static func origin(_ text: String) throws(BadValue) -> WebOrigin {
        guard let origin = WebOrigin(text) else {
            throw BadValue("not where a page is from: https://HOST or https://HOST:PORT, and no path")
        }
        return origin
    }

    static func camera(_ text: String) throws(BadValue) -> CameraName {
        guard let name = CameraName(text) else { throw BadValue("not a camera's name: [a-z0-9][a-z0-9-]{0,31}") }
        return name
    }
}
