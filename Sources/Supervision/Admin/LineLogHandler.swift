import Glibc
package import Logging

/// Log records on standard error, one line each; with journald's priority prefix when that is where they go.
///
/// Control characters are escaped: a camera's or a client's text cannot forge a record.
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let hasPriority: Bool

    package init(level: Logger.Level = .info, hasPriority: Bool) {
        logLevel = level
        self.hasPriority = hasPriority
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let line = Self.line(
            event.level, "\(event.message)", metadata.merging(event.metadata ?? [:]) { $1 }, hasPriority: hasPriority)
        // One write: lines of several threads and processes do not mix.
        _ = Array(line.utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    package static func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, hasPriority: Bool)
        -> String
    {
        let fields = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        let text = escaped(message + fields)
        return hasPriority ? "<\(priority(level))>\(text)\n" : "\(level) \(text)\n"
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars.prefix(4096) {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            escaped += scalar == "\n" ? " | " : isControl ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return escaped
    }

    /// sd-daemon(3).
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
