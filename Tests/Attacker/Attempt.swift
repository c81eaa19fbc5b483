internal import CAttack
internal import CLinux

/// One thing that a captured worker would try; `act` returns 0 when it worked, else the errno.
struct Attempt {
    let name: String
    let act: (Prey) -> Int32

    init(_ name: String, _ act: @escaping (Prey) -> Int32) {
        self.name = name
        self.act = act
    }

    static var all: [Attempt] { allowed + files + escapes + places + processes + programs + sockets + kernel }

    /// Any system call, by number.
    static func call(
        _ number: Int32, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0, _ f: Int = 0
    ) -> (errno: Int32, result: Int) {
        var result = 0
        let errno = attack_call(&result, Int(number), a, b, c, d, e, f)
        return (errno, result)
    }

    /// As `call`, with a path as the argument in front.
    static func call(_ number: Int32, path: String, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0) -> Int32 {
        path.withCString { call(number, Int(bitPattern: $0), b, c, d).errno }
    }

    static func call(_ number: Int32, path: String, to other: String, _ flags: Int = 0) -> Int32 {
        path.withCString { from in
            other.withCString { to in call(number, Int(bitPattern: from), Int(bitPattern: to), flags).errno }
        }
    }

    /// Opens, and reads a byte when it is for reading.
    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) -> Int32 {
        let file = cvr_open(path, flags, mode)
        guard file >= 0 else { return cvr_errno() }
        var byte: UInt8 = 0
        guard flags & (O_WRONLY | O_DIRECTORY) == 0 else { return 0 }
        return CLinux.read(file, &byte, 1) >= 0 ? 0 : cvr_errno()
    }

    static func list(_ folder: String) -> Int32 { open(folder, O_RDONLY | O_DIRECTORY) }
}
