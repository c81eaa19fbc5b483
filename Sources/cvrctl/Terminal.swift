import Glibc

/// Where the answer is read: how wide it is, and whether it knows colours.
struct Terminal {
    var columns: Int
    var hasColour: Bool

    /// Standard output.
    init() {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        var size = winsize()
        let asked = Self.variable("COLUMNS").flatMap { Int($0) } ?? 0
        if asked > 0 {
            columns = asked
        } else if isTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            columns = Int(size.ws_col)
        } else {
            columns = 120
        }
        hasColour = isTerminal && (Self.variable("NO_COLOR") ?? "").isEmpty && Self.variable("TERM") != "dumb"
    }

    init(columns: Int, hasColour: Bool) {
        self.columns = columns
        self.hasColour = hasColour
    }

    /// Somebody looks at what is written beside the answer.
    static var errorsAreShown: Bool { isatty(STDERR_FILENO) == 1 }

    /// Red and bold: look here.
    func alarming(_ text: String) -> String { hasColour ? "\u{1B}[1;31m\(text)\u{1B}[0m" : text }

    /// Text of others, fit for a terminal: on one line, without control characters.
    static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    /// Writes everything, or ends the process: nobody reads on, or the disk behind it is full.
    static func write(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                exit(errno == EPIPE ? ExitStatus.done.rawValue : ExitStatus.failed.rawValue)
            }
        }
    }

    /// One line of standard input, asked for without echo when that is a terminal.
    ///
    /// There Ctrl-C is read as any key: as a signal it would leave the terminal without echo.
    static func readSecret(_ prompt: String) -> String? {
        var settings = termios()
        guard isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 else { return readLine() }
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO | ISIG)
        let interrupt = silent.control(VINTR)
        silent.setControl(VEOL, interrupt)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        write(prompt, to: STDERR_FILENO)
        let line = readKeys(until: [UInt8(ascii: "\n"), interrupt])
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
        write("\n", to: STDERR_FILENO)
        // What a shell says of a process that the signal ended; raised here it would wait: pool threads block signals.
        if line.last == interrupt { exit(128 + SIGINT) }
        return line.isEmpty
            ? nil : String(decoding: line.last == UInt8(ascii: "\n") ? line.dropLast() : line, as: UTF8.self)
    }

    /// What is typed up to one of `ends`, which is included, or to the end of the input.
    private static func readKeys(until ends: [UInt8]) -> [UInt8] {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while line.count < 65_536, read(STDIN_FILENO, &byte, 1) == 1 {
            line.append(byte)
            if ends.contains(byte) { break }
        }
        return line
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

extension termios {
    /// The key of a function such as `VINTR`.
    fileprivate func control(_ function: Int32) -> UInt8 {
        withUnsafeBytes(of: c_cc) { $0[Int(function)] }
    }

    fileprivate mutating func setControl(_ function: Int32, _ key: UInt8) {
        withUnsafeMutableBytes(of: &c_cc) { $0[Int(function)] = key }
    }
}
