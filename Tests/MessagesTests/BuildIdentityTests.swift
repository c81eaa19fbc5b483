import Messages
import Testing

@Suite("Build identity")
struct BuildIdentityTests {
    private func id(_ file: [UInt8]) -> String? {
        BuildIdentity.id { offset, count in
            guard offset >= 0, offset < Int64(file.count) else { return [] }
            return Array(file[Int(offset)...].prefix(count))
        }
    }

    private func little(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// One PT_NOTE with a note of another owner before the build id.
    private var program: [UInt8] {
        let note =
            little(4, 4) + little(2, 4) + little(1, 4) + Array("ABC\0".utf8) + [1, 2, 0, 0]
            + little(4, 4) + little(20, 4) + little(3, 4) + Array("GNU\0".utf8) + (0..<20).map { UInt8($0 + 10) }
        var header: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1] + [UInt8](repeating: 0, count: 58)
        header.replaceSubrange(32..<40, with: little(64, 8))
        header.replaceSubrange(54..<58, with: little(56, 2) + little(1, 2))
        let entry = little(4, 4) + little(0, 4) + little(120, 8) + little(0, 16) + little(note.count, 8) + little(0, 16)
        return header + entry + note
    }

    @Test("is read from the file's notes, and is part of the name that processes tell")
    func whole() {
        #expect(id(program) == "0a0b0c0d0e0f1011")
        let name = BuildIdentity.name(version: "1.2.3", id: id(program))
        #expect(name == "1.2.3+0a0b0c0d0e0f1011" && BuildIdentity.id(inName: name) == "0a0b0c0d0e0f1011")
        #expect(BuildIdentity.id(inName: "1.2.3") == nil)
    }

    @Test("any other file has none, and none traps")
    func noise() {
        #expect(id(Array("#!/bin/sh\n".utf8)) == nil)
        for length in 0..<program.count { #expect(id(Array(program.prefix(length))) == nil) }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            var file = program
            for _ in 0..<3 { file[.random(in: 6..<file.count, using: &random)] = .random(in: 0...255, using: &random) }
            _ = id(file)
        }
    }
}
