import Recording

extension GatewayConfiguration {
    /// Reads the section `gateway`, nil without one; mistakes are in its list.
    init?(_ section: Section, hostName: String) {
        guard section.isPresent else { return nil }
        tokens = section.values("tokens", CredentialName.parse) ?? []
        // Without tokens nobody could ask.
        let usual = section.has("tokens") ? Self.usualListen : nil
        listen = (section.value("listen", Values.listen) ?? Listen.at(usual)).address
        tls = PlaybackConfiguration.TLS(section.section("tls", schema: "gateway.tls"))
        let webhooks = section.section("webhooks", schema: nil)
        for (name, _) in webhooks.keys { self.webhooks[name] = Webhook(name, in: webhooks) }
        broker = Broker(section.section("mqtt", schema: "gateway.mqtt"), hostName: hostName)
        refuseExposure(section)
        if listen == nil, webhooks.keys.isEmpty, !section.has("mqtt") {
            section.report(nil, "serves nobody; add tokens, webhooks or mqtt, or remove it")
        }
    }

    private func refuseExposure(_ section: Section) {
        guard let listen else { return }
        if tokens.isEmpty {
            section.report("listen", "whoever can connect would drive this box; add tokens: [CREDENTIAL]")
        }
        guard !listen.isLoopback, !section.has("tls") else { return }
        section.report(
            "listen",
            "\(listen) can be reached from other hosts, and nothing is encrypted; add tls: { certificate: FILE, "
                + "key: FILE }, or listen at 127.0.0.1")
    }
}

extension GatewayConfiguration.Webhook {
    /// The webhook of that name; nil for one with mistakes.
    fileprivate init?(_ name: String, in webhooks: Section) {
        let section = webhooks.section(name, schema: "gateway.webhooks.*")
        let isName =
            (1...32).contains(name.utf8.count)
            && name.utf8.allSatisfy { Values.isWordByte($0) || $0 == UInt8(ascii: "-") }
        if !isName { webhooks.report(name, "not a webhook's name: 1 to 32 letters, digits and -") }
        let url = section.required("url", hint: "add url: https://HOST/PATH", Addresses.webhook)
        let header = section.value("header", Values.headerName) ?? "Authorization"
        let credential = section.value("credential", CredentialName.parse)
        let authority = section.value("certificateAuthority", Values.path)
        guard let url, isName else { return nil }
        self.init(url: url, header: header, credential: credential, certificateAuthority: authority)
        if !url.lowercased().hasPrefix("https:"), section.has("credential") {
            section.report("credential", "would be sent unencrypted; write url: https://HOST/PATH")
        }
    }
}

extension GatewayConfiguration.Broker {
    /// Nil for none, and for one with mistakes.
    fileprivate init?(_ section: Section, hostName: String) {
        guard section.isPresent else { return nil }
        let place = section.required("url", hint: "add url: mqtts://HOST or mqtt://HOST", Addresses.broker)
        let outputs = ["operationalEventsOutputName", "diagnosticsEventsOutputName"].map {
            section.value($0, Values.topicLevelOrNothing)
        }
        let username = section.value("username", Values.printable)
        let credential = section.value("credential", CredentialName.parse)
        if (username == nil) != (credential == nil) {
            section.report("username", "username and credential belong together; give both, or neither")
        }
        // A site may have several boxes, which a broker tells apart by this.
        let device = section.value("device", Values.topicLevel) ?? SiteName(hostName: hostName).text
        let module = section.value("module", Values.topicLevel) ?? "cvr"
        let authority = section.value("certificateAuthority", Values.path)
        guard let place else { return nil }
        if authority != nil, !place.isTLS {
            section.report("certificateAuthority", "an mqtt: broker proves nothing; write url: mqtts://HOST")
        }
        if credential != nil, !place.isTLS, !Addresses.isLoopback(place.host) {
            section.report("credential", "would be sent unencrypted; write url: mqtts://HOST")
        }
        self.init(
            host: place.host, port: place.port, isTLS: place.isTLS, device: device, module: module,
            username: username, credential: credential, certificateAuthority: authority,
            operationalOutput: outputs[0] ?? "AmsOperational", diagnosticsOutput: outputs[1] ?? "AmsDiagnostics")
    }
}

extension Addresses {
    /// `https://HOST[:PORT]/…` or `http://…`, without userinfo.
    static func webhook(_ text: String) throws(BadValue) -> String {
        let (scheme, rest) = try split(text)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard ["http", "https"].contains(scheme) else {
            throw BadValue("a webhook's URL starts with https:// or http://")
        }
        guard isHostAndPort(authority) else {
            throw BadValue("a URL without a valid host and port, or with a user name; that belongs into a credential")
        }
        guard !rest.contains("#") else { throw BadValue("a webhook's URL has no # part") }
        return text
    }

    /// `mqtts://HOST[:PORT]`, or `mqtt://` without encryption.
    static func broker(_ text: String) throws(BadValue) -> (host: String, port: UInt16, isTLS: Bool) {
        let (scheme, rest) = try split(text)
        guard ["mqtt", "mqtts"].contains(scheme) else {
            throw BadValue("a broker's URL starts with mqtts:// or mqtt://")
        }
        let place = rest.hasSuffix("/") ? rest.dropLast() : rest
        guard isHostAndPort(place) else {
            throw BadValue("a broker is mqtts://HOST or mqtts://HOST:PORT; a user name belongs into username")
        }
        let isTLS = scheme == "mqtts"
        guard !place.hasSuffix("]"), let colon = place.lastIndex(of: ":"),
            let port = UInt16(place[place.index(after: colon)...])
        else { return (bare(place), isTLS ? 8883 : 1883, isTLS) }
        return (bare(place[..<colon]), port, isTLS)
    }

    /// Of this host, whatever its names are.
    fileprivate static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || ListenAddress(host.contains(":") ? "[\(host)]:1" : "\(host):1")?.isLoopback == true
    }

    /// An IPv6 address without its brackets.
    private static func bare(_ host: Substring) -> String { String(host.filter { $0 != "[" && $0 != "]" }) }
}

extension Values {
    static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// RFC 9110, 5.1; of its tokens those that anybody uses.
    static func headerName(_ text: String) throws(BadValue) -> String {
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ isWordByte($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") })
        else { throw BadValue("not a header's name such as Authorization or aeg-sas-key") }
        return text
    }

    /// A name of IoT Hub's, as one level of a topic.
    static func topicLevel(_ text: String) throws(BadValue) -> String {
        guard (1...128).contains(text.utf8.count),
            text.utf8.allSatisfy({ isWordByte($0) || "-:.=@_$".utf8.contains($0) }), !text.hasPrefix("$")
        else { throw BadValue("not a name of 1 to 128 letters, digits and - : . = @ _") }
        return text
    }

    static func topicLevelOrNothing(_ text: String) throws(BadValue) -> String {
        text.isEmpty ? text : try topicLevel(text)
    }
}
