import ArgumentParser
import Messages
import Recording

struct ExportVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Save a camera's footage of a range as MP4, resumable, with a manifest.")

    enum Gap: String, ExpressibleByArgument, CaseIterable { case skip, stop }

    @Argument(help: "The camera's name.", completion: .cameras)
    var camera: String

    @Option(help: ArgumentHelp("Start of the range, RFC 3339.", valueName: "time"), transform: FootageOptions.time)
    var from: String

    @Option(help: ArgumentHelp("End of the range.", valueName: "time"), transform: FootageOptions.time)
    var to: String

    @Option(
        help: ArgumentHelp("The file to write (default: named after camera and range).", valueName: "file"),
        completion: .file())
    var output: String?

    @Option(help: "Where a gap is: go on after it, or end there.")
    var gap = Gap.skip

    @OptionGroup var server: ServerOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        guard CameraName(camera) != nil else {
            throw ValidationError("'\(camera)' is not a camera's name: lower-case letters, digits and -.")
        }
        let session = try await server.session(global.socketPath)
        let path = "/export/\(camera)?from=\(from)&to=\(to)&gap=\(gap.rawValue)"
        let contents = try session.get(path, as: ExportContents.self)
        for (index, range) in contents.ranges.enumerated() {
            let number = contents.ranges.count > 1 ? index + 1 : nil
            let file = ExportFile(range, at: file(number))
            let progress = ExportProgress(file.path, length: range.bytes, printsJSON: global.json)
            let saved = try file.save(from: session, camera: camera, source: session.address) { progress.show($0) }
            progress.end(saved)
        }
    }

    /// A file cannot hold two codecs: each has its own, numbered from 1.
    private func file(_ number: Int?) -> String {
        let name = output ?? "\(camera)_\(from)_\(to).mp4".replacing(":", with: "-")
        guard let number else { return name }
        let stem = name.hasSuffix(".mp4") ? String(name.dropLast(4)) : name
        return "\(stem).\(number).mp4"
    }
}

/// How far an export is: a bar on a terminal, or lines of JSON.
final class ExportProgress {
    private let path: String
    private let length: Int64
    private let printsJSON: Bool

    init(_ path: String, length: Int64, printsJSON: Bool) {
        self.path = path
        self.length = length
        self.printsJSON = printsJSON
    }

    func show(_ bytes: Int64) {
        if printsJSON {
            Terminal.write(JSONText.of((file: path, bytes: bytes, length: length)) + "\n")
        } else if Terminal.errorsAreShown {
            let done = length > 0 ? Int(bytes.scaled(by: 24, over: length)) : 24
            let bar = String(repeating: "#", count: done) + String(repeating: ".", count: max(0, 24 - done))
            let percent = Quantity.percent(length > 0 ? 100 * Double(bytes) / Double(length) : 100)
            Terminal.write("\r[\(bar)] \(percent) of \(Quantity.bytes(length)) ", to: 2)
        }
    }

    func end(_ saved: ExportManifest) {
        if printsJSON {
            Terminal.write(JSONText.of(saved) + "\n")
        } else {
            if Terminal.errorsAreShown { Terminal.write("\n", to: 2) }
            let length = Quantity.duration(saved.segments.reduce(0) { $0 + $1.duration })
            Terminal.write(
                "\(Terminal.plain(path))  \(Quantity.bytes(saved.bytes))  \(length)  sha256 \(saved.sha256)\n")
        }
    }
}
