import CLinux

/// A process as a lock file names it.
package struct LockHolder: Hashable, Sendable {
    package var pid: Int32
    /// Field 22 of `/proc/<pid>/stat`: a pid that was given out again has another.
    package var startTime: Int64
    package var bootID: String
    package var build: String
    package var protocolVersion: Int64

    /// This process.
    package init(build: String, protocolVersion: Int64) {
        pid = getpid()
        startTime = Self.startTime(of: pid) ?? 0
        bootID = Self.currentBootID
        self.build = String(build.unicodeScalars.filter { $0.isASCII && $0.value > 31 && $0 != "\"" && $0 != "\\" })
        self.protocolVersion = protocolVersion
    }

    package static var currentBootID: String {
        String(decoding: (smallFile("/proc/sys/kernel/random/boot_id") ?? []).prefix { $0 > 32 }, as: UTF8.self)
    }

    /// The same process still lives.
    package var isAlive: Bool { bootID == Self.currentBootID && Self.startTime(of: pid) == startTime }

    private static func startTime(of pid: Int32) -> Int64? {
        guard let status = smallFile("/proc/\(pid)/stat"), let name = status.lastIndex(of: UInt8(ascii: ")")) else {
            return nil
        }
        // Field 3 follows the name, which may hold anything.
        let fields = status[name...].dropFirst().split(separator: UInt8(ascii: " "))
        return fields.dropFirst(19).first.flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
    }
}

extension LockHolder {
    package static let lineLength = 512

    /// One line of JSON, always of the same length, so that it can be written where one already is.
    package var line: [UInt8] {
        let text =
            "{\"pid\": \(pid), \"startTime\": \(startTime), \"bootID\": \"\(bootID)\", \"build\": \"\(build)\", "
            + "\"protocol\": \(protocolVersion)}"
        let bytes = Array(text.utf8.prefix(Self.lineLength - 1))
        return bytes + repeatElement(UInt8(ascii: " "), count: Self.lineLength - 1 - bytes.count) + [10]
    }

    /// Nil for anything but a whole line; keys of newer builds are skipped.
    package init?(line: [UInt8]) {
        guard line.last == 10 else { return nil }
        let text = String(decoding: line.dropLast(), as: UTF8.self)
        var fields: [Substring: Substring] = [:]
        guard text.first == "{", let end = text.lastIndex(of: "}") else { return nil }
        for pair in text[..<end].dropFirst().split(separator: ",") {
            let parts = pair.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            fields[parts[0].bare] = parts[1].bare
        }
        guard let pid = fields["pid"].flatMap({ Int32($0) }), pid > 0,
            let startTime = fields["startTime"].flatMap({ Int64($0) }), let bootID = fields["bootID"],
            let build = fields["build"], let protocolVersion = fields["protocol"].flatMap({ Int64($0) })
        else { return nil }
        self.pid = pid
        self.startTime = startTime
        self.bootID = String(bootID)
        self.build = String(build)
        self.protocolVersion = protocolVersion
    }
}

extension Substring {
    /// Without the blanks and quotes around it.
    fileprivate var bare: Substring {
        let isWrapping = { (character: Character) in character == " " || character == "\"" }
        return drop(while: isWrapping).reversedDrop(while: isWrapping)
    }

    private func reversedDrop(while predicate: (Character) -> Bool) -> Substring {
        var rest = self
        while let last = rest.last, predicate(last) { rest.removeLast() }
        return rest
    }
}
