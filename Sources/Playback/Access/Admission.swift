import Recording
import Serving

/// Finds out who a visitor is, at every request anew.
///
/// Tokens and signatures cost microseconds and cannot be guessed: they are looked at whoever asks, and however often
/// others of the same address failed. Passwords can be (`PasswordCheck`).
final class Admission: Sendable {
    private let access: Access
    private let passwords: PasswordCheck

    init(_ access: Access, threads: BlockingThreads) {
        self.access = access
        passwords = PasswordCheck(threads: threads)
    }

    /// Throws a `Refusal` of status 401, or 429 and 503 for a password that is not looked at.
    func visitor(
        _ credentials: Credentials, from address: ClientAddress, at now: (WallTime, MonotonicTime)
    ) async throws -> Visitor {
        // A cookie of another server on this host, or what is left from an account, means nothing here.
        if access.isOpen, !credentials.isSignature { return .anybody }
        if let visitor = try await find(credentials, from: address, at: now) { return visitor }
        if case .token(let text, _) = credentials, let validity = await access.tokens?.validity(of: text),
            !validity.contains(now.0)
        {
            throw Refusal.untimely(validity, now.0)
        }
        throw Refusal.unauthorized(credentials, offersAccounts: !access.accounts.isEmpty)
    }

    private func find(
        _ credentials: Credentials, from address: ClientAddress, at now: (WallTime, MonotonicTime)
    ) async throws -> Visitor? {
        switch credentials {
        case .none, .malformed: return nil
        case .signature(let text):
            guard let key = access.signing, let signature = URLSignature(text, key: key), now.0 < signature.expires
            else { return nil }
            return Visitor(
                name: "signature", cameras: .named([signature.camera.text]), window: signature.range,
                until: signature.expires, carried: ["signature"])
        case .token(let text, let isInQuery):
            return await access.tokens?.visitor(text, at: now.0, carried: isInQuery ? ["token"] : [])
        case .account(let name, let password):
            guard let account = access.accounts[name],
                try await passwords.holds(password, of: name, account, from: address.site, at: now.1)
            else { return nil }
            return Visitor(name: name, cameras: account.cameras, mayShare: access.signing != nil)
        }
    }
}

extension Refusal {
    static func tooMany(_ wait: TimeSpan, _ what: String = "this address asks too often") -> Refusal {
        let seconds = max(1, Int64(wait.seconds.rounded(.up)))
        return Refusal(429, "tooManyRequests", what, nextStep: "try again in \(seconds) s")
            .with("Retry-After", "\(seconds)")
    }

    fileprivate static func unauthorized(_ credentials: Credentials, offersAccounts: Bool) -> Refusal {
        let refusal =
            credentials == .none
            ? Refusal(
                401, "unauthorized", "this server wants to know who asks",
                nextStep: "send an account's name and password, a content token or a signed address")
            : Refusal(
                401, "unauthorized", "what the request says of its sender does not hold, or holds no more",
                nextStep: "use a valid account, or get a new token or signed address")
        // A browser asks its user for an account only where there are accounts.
        return refusal.with("WWW-Authenticate", offersAccounts ? "Basic realm=\"cvr\", charset=\"UTF-8\"" : "Bearer")
    }

    /// Of a token that was made for this server: its bearer may know that one of the clocks is wrong.
    fileprivate static func untimely(_ validity: Range<WallTime>, _ now: WallTime) -> Refusal {
        let since = validity.lowerBound == .earliest ? "" : "from \(validity.lowerBound.rfc3339) "
        return Refusal(
            401, "unauthorized",
            "this token is valid \(since)to \(validity.upperBound.rfc3339), and this server's clock says \(now.rfc3339)",
            nextStep: "get a new token; if it is a new one, set the clock of whichever host is wrong"
        ).with("WWW-Authenticate", "Bearer error=\"invalid_token\"")
    }

    /// The same whether there is such a camera or not.
    static let forbidden = Refusal(
        403, "forbidden", "this visitor may not see that",
        nextStep: "ask whoever runs this server for access to the camera")

    static func outsideWindow(_ window: Range<WallTime>) -> Refusal {
        Refusal(
            403, "outsideWindow",
            "this token or signature is for \(window.lowerBound.rfc3339) to \(window.upperBound.rfc3339)",
            nextStep: "ask for a time within")
    }
}
