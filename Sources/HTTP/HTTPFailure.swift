import CCurl

/// A request without a whole answer.
///
/// It may have had its effect all the same. No text of it holds more of the URL than its origin, and nothing of what was sent.
package struct HTTPFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// The name of the server, or of the proxy, is not known.
        case resolve
        /// No connection, or none through the proxy.
        case connect
        /// Whom we reached cannot prove who it is, or speaks no TLS that we take.
        case tls
        /// Nothing moved for too long.
        case stalled
        /// The connection ended in the middle.
        case reset
        /// The answer is longer than what the caller, or anybody, would expect.
        case tooLarge
        /// We are to end.
        case stopped
        /// The file to be sent cannot be read, or is shorter than it was.
        case file
        /// Not HTTP, or no request that can be made.
        case other
    }

    package var kind: Kind
    /// Scheme, host and port.
    package var origin: String
    package var detail: String
    package var nextStep: String

    package init(_ kind: Kind, _ origin: String, _ detail: String, nextStep: String) {
        self.kind = kind
        self.origin = origin
        self.detail = detail
        self.nextStep = nextStep
    }

    package var description: String { "\(origin): \(detail); \(nextStep)" }

    /// What a transfer's end says.
    ///
    /// `verification` is OpenSSL's word on the certificate, X509_V_OK when it had none against it; `proxyStatus` the
    /// proxy's answer to CONNECT, zero when there was none.
    init(_ code: CURLcode, _ origin: String, detail: String, verification: Int, proxyStatus: Int) {
        if proxyStatus >= 300 {
            self.init(
                .connect, origin, "the proxy answered \(proxyStatus)",
                nextStep: proxyStatus == 407
                    ? "give the proxy's URL the user and password that it asks for"
                    : "check the proxy, and whether it lets this box reach the store")
            return
        }
        let (kind, nextStep) =
            code == CURLE_PEER_FAILED_VERIFICATION ? (.tls, Self.distrust(verification)) : Self.meaning(code)
        self.init(kind, origin, detail, nextStep: nextStep)
    }

    /// Each result of libcurl that says more than that it failed.
    private static func meaning(_ code: CURLcode) -> (Kind, String) {
        switch code {
        case CURLE_COULDNT_RESOLVE_PROXY: (.resolve, "check the proxy's name and this box's name servers")
        case CURLE_COULDNT_RESOLVE_HOST: (.resolve, "check the name and this box's name servers")
        case CURLE_COULDNT_CONNECT, CURLE_PROXY:
            (.connect, "check that it runs, and that no firewall is in between")
        // Our own limit is on the connection alone.
        case CURLE_OPERATION_TIMEDOUT: (.connect, "check the network; no firewall may swallow packets")
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER:
            (.tls, "check that this port speaks TLS, version 1.2 or later")
        case CURLE_SSL_CACERT_BADFILE: (.tls, "check the file of certificateAuthority: it must be PEM")
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_HTTP2,
            CURLE_HTTP2_STREAM:
            (.reset, "none; it is retried")
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            (.other, "check host and port: what answered does not speak HTTP")
        default: (.other, "see the log; it is retried")
        }
    }

    /// What is wrong with a certificate: OpenSSL's X509_V_ERR_*.
    private static func distrust(_ verification: Int) -> String {
        switch verification {
        case 9: "check this box's clock: the certificate is not valid yet"
        case 10: "renew the server's certificate, or check this box's clock: it has expired"
        case 2, 18, 19, 20, 21: "name the PEM file of the authority that signed it in certificateAuthority"
        // libcurl compares names by itself, and has no number for what it finds.
        case 0, 1, 62: "use the name that the certificate is for"
        default: "check the server's certificate"
        }
    }
}
