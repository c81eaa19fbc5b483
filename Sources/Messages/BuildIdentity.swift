import Glibc

/// Which build of a program a file is: its linker's build id, which differs whenever the code does.
///
/// Compared by cvrd between a worker that runs and the file that would be started next.
package enum BuildIdentity {
    /// Enough to tell builds apart, and short enough to read.
    private static let keptBytes = 8
    private static let mostHeaders = 64
    private static let largestNotes = 1 << 16

    /// Sixteen hexadecimal digits, such as `0d0e36ac37f249de`; nil when the file is no 64-bit ELF file with a build id.
    ///
    /// `read` gives bytes at an offset, fewer at the end of the file; nothing there is believed.
    package static func id(read: (_ offset: Int64, _ count: Int) -> [UInt8]) -> String? {
        note(read).map { $0.prefix(keptBytes).map(hex).joined() }
    }

    /// The id of a program file that can be read.
    package static func id(at path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return id { offset, count in
            var bytes = [UInt8](repeating: 0, count: count)
            let got = pread(file, &bytes, count, off_t(offset))
            return Array(bytes.prefix(max(got, 0)))
        }
    }

    /// This process's own, as it tells it; asked before a sandbox closes.
    package static func own(version: String) -> String { name(version: version, id: id(at: "/proc/self/exe")) }

    /// As processes tell it: `0.1.0+0d0e36ac37f249de`.
    package static func name(version: String, id: String?) -> String { id.map { "\(version)+\($0)" } ?? version }

    /// The id in such a name; nil for a build without one.
    package static func id(inName name: String) -> String? {
        name.firstIndex(of: "+").map { String(name[name.index(after: $0)...]) }
    }

    /// The first `NT_GNU_BUILD_ID` in a `PT_NOTE` (elf(5)).
    private static func note(_ read: (Int64, Int) -> [UInt8]) -> [UInt8]? {
        let header = read(0, 64)
        guard header.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]), header.count == 64 else { return nil }
        let (table, size, count) = (number(header, 32, 8), number(header, 54, 2), number(header, 56, 2))
        guard (0...Int64(Int32.max)).contains(table), (56...256).contains(size) else { return nil }
        for index in 0..<min(count, Int64(mostHeaders)) {
            let entry = read(table + index * size, Int(size))
            guard entry.count == size, number(entry, 0, 4) == 4 else { continue }
            let (offset, length) = (number(entry, 8, 8), number(entry, 32, 8))
            guard offset >= 0, (0...Int64(largestNotes)).contains(length) else { continue }
            if let id = note(in: read(offset, Int(length))) { return id }
        }
        return nil
    }

    private static func note(in notes: [UInt8]) -> [UInt8]? {
        var rest = notes[...]
        while rest.count >= 12 {
            let head = Array(rest.prefix(12))
            let (name, length, type) = (number(head, 0, 4), number(head, 4, 4), number(head, 8, 4))
            rest = rest.dropFirst(12)
            let (nameRoom, room) = (Int(name + 3) & ~3, Int(length + 3) & ~3)
            guard nameRoom <= rest.count else { return nil }
            let owner = rest.prefix(Int(name))
            rest = rest.dropFirst(nameRoom)
            if type == 3, owner.elementsEqual([0x47, 0x4E, 0x55, 0]), (1...64).contains(length) {
                return rest.count >= length ? Array(rest.prefix(Int(length))) : nil
            }
            rest = rest.dropFirst(room)
        }
        return nil
    }

    /// Little-endian; a number that does not fit is none that a small file has.
    private static func number(_ bytes: [UInt8], _ offset: Int, _ width: Int) -> Int64 {
        Int64(bitPattern: bytes.dropFirst(offset).prefix(width).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.utf8.count == 1 ? "0" + digits : digits
    }
}
