import HummingbirdCore
package import HummingbirdTLS
import Recording

/// Who a server is: its certificate and those up to its authority, and its key, all PEM.
///
/// Files would be out of a sandbox's reach.
package struct TLSIdentity: Hashable, Sendable {
    private let certificate: String
    private let key: Secret

    package init(certificate: String, key: String) { (self.certificate, self.key) = (certificate, Secret(key)) }

    /// TLS 1.2 and later; throws for what `check` refuses.
    package func configuration() throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.revealed().utf8), format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    /// Seconds since 1970 when the certificate ends; throws for one that cannot be used with its key.
    package func check() throws(ServingError) -> Int64? {
        let chain = try usable("the certificate", "put a certificate in PEM there, and those up to its authority") {
            try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
        }
        _ = try usable("the certificate's key", "put a private key in PEM there, without a passphrase") {
            try NIOSSLPrivateKey(bytes: Array(key.revealed().utf8), format: .pem)
        }
        _ = try usable("the certificate with this key", "give the certificate's own private key") {
            try TLSChannel(HTTP1Channel { _, _, _ in }, tlsConfiguration: try configuration())
        }
        return chain.first.map { Int64($0.notValidAfter) }
    }

    private func usable<Value>(
        _ what: String, _ nextStep: String, _ make: () throws -> Value
    ) throws(ServingError) -> Value {
        do { return try make() } catch {
            throw ServingError(.configuration, "\(what) cannot be used: \(error)", nextStep: nextStep)
        }
    }
}
