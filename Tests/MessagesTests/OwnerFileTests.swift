import Foundation
import Messages
import Recording
import Testing

@Suite("Messages: files that an operator names")
struct OwnerFileTests {
    private func withFile(_ bytes: some Sequence<UInt8>, mode: Int = 0o600, _ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "cvr-owner-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: path) }  // left behind in /tmp it fails no test
        #expect(
            FileManager.default.createFile(
                atPath: path, contents: Data(bytes), attributes: [.posixPermissions: mode]))
        try body(path)
    }

    private func mistake(_ read: Result<some Any, OwnerFile.Mistake>) -> OwnerFile.Mistake.Kind? {
        switch read {
        case .success: nil
        case .failure(let mistake): mistake.kind
        }
    }

    @Test("a secret is one line, with or without its newline")
    func line() throws {
        for text in ["s3cret canary", "s3cret canary\n"] {
            try withFile(text.utf8) { path in
                let secret = try OwnerFile.line(path).get()
                #expect(secret.revealed() == "s3cret canary")
            }
        }
        for text in ["", "\n", "two\nlines\n", "carriage\r\n", "nul\u{0}", "\n\n"] {
            try withFile(text.utf8) { path in
                #expect(mistake(OwnerFile.line(path)) == .contents, "\(text.debugDescription)")
            }
        }
    }

    @Test("what others may open is no secret, and may be a certificate", arguments: [0o640, 0o604, 0o660, 0o611])
    func exposed(mode: Int) throws {
        try withFile("text\n".utf8, mode: mode) { path in
            #expect(mistake(OwnerFile.line(path)) == .file && mistake(OwnerFile.guardedText(path)) == .file)
            let text = try OwnerFile.text(path).get()
            #expect(text == "text\n")
        }
    }

    @Test("what is not there, no file, no text or too long is refused, and waited for by nobody")
    func unreadable() throws {
        #expect(mistake(OwnerFile.text("/nowhere/secret")) == .file)
        #expect(mistake(OwnerFile.text(NSTemporaryDirectory())) == .file)
        try withFile([0xFF, 0xFE]) { #expect(mistake(OwnerFile.text($0)) == .contents) }
        try withFile(repeatElement(UInt8(ascii: "a"), count: 1 << 20)) { #expect(mistake(OwnerFile.text($0)) == nil) }
        try withFile(repeatElement(UInt8(ascii: "a"), count: 1 << 20 | 1)) { path in
            #expect(mistake(OwnerFile.text(path)) == .contents)
        }
        let pipe = NSTemporaryDirectory() + "cvr-owner-\(UUID())"
        #expect(mkfifo(pipe, 0o600) == 0)
        defer { unlink(pipe) }
        #expect(mistake(OwnerFile.line(pipe)) == .contents)
    }
}
