import ArgumentParser
import Messages
import Recording

/// Where cvr-playback is, and how it knows who asks.
///
/// A secret is read from a file or from standard input: arguments are everybody's to see (I10).
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Address of cvr-playback, or where a proxy has it (default: where cvrd says, else http://127.0.0.1:8480).",
            valueName: "url"))
    var url: String?

    @Option(
        help: ArgumentHelp(
            "Ask as this account; its password is one line of standard input, unless --credential is given.",
            valueName: "name"))
    var account: String?

    @Option(
        help: ArgumentHelp("File that holds the account's password, and is its owner's alone.", valueName: "file"),
        completion: .file())
    var credential: String?

    @Option(
        help: ArgumentHelp("File that holds a content token, and is its owner's alone.", valueName: "file"),
        completion: .file())
    var tokenFile: String?

    @Option(
        help: ArgumentHelp(
            "Certificates (PEM) of the authorities to believe, in place of the system's.", valueName: "file"),
        completion: .file())
    var ca: String?

    func validate() throws {
        if account != nil, tokenFile != nil {
            throw ValidationError("Give --account or --token-file, not both.")
        }
        if credential != nil, account == nil {
            throw ValidationError("--credential holds the password of an --account: name it.")
        }
        if account?.contains(":") == true { throw ValidationError("An account's name has no colon.") }
    }

    var asksAsSomebody: Bool { account != nil || tokenFile != nil }

    /// With the server of `url`, else with that of the box whose cvrd has the admin socket `socket`.
    func session(_ socket: String) async throws -> PlaybackSession {
        let authority = try ca.map { try OwnerFile.text($0).mapError(Complaint.init).get() }
        let visitor = try visitor()
        let told = url == nil ? try await PlaybackAddress.told(by: socket) : nil
        return try PlaybackSession(url ?? told ?? PlaybackAddress.usual, as: visitor, authority: authority)
    }

    /// Who asks; nil for nobody in particular.
    private func visitor() throws -> PlaybackSession.Visitor? {
        if let tokenFile { return .token(try secret(tokenFile)) }
        guard let account else { return nil }
        if let credential { return .account(account, password: try secret(credential)) }
        guard let password = Terminal.readSecret("Password of \(Terminal.plain(account)): "), !password.isEmpty else {
            throw Complaint(
                .usage, code: "usage", message: "there is no password on standard input",
                nextStep: "Give it as one line, or name a file with --credential")
        }
        return .account(account, password: Secret(password))
    }

    private func secret(_ path: String) throws -> Secret { try OwnerFile.line(path).mapError(Complaint.init).get() }
}
