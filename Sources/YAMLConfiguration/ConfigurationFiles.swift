import Glibc

/// `cvr.yaml` and `cameras.d`: where they are, how they are read, and how cvrctl's cameras are kept.
package struct ConfigurationFiles: Sendable {
    /// The file that `--config` names.
    package let mainPath: String

    package init(mainPath: String) { self.mainPath = mainPath }

    /// Reads everything; `candidate` stands in for, or joins, the file of that camera in `cameras.d`.
    ///
    /// With a candidate, an operator's wish is checked together with all the rest before anything is written.
    package func load(candidate: (name: String, text: String)? = nil) throws(ConfigurationError) -> BoxConfiguration {
        let main = try Self.text(of: mainPath)
        guard let main else { throw Self.failure(mainPath, "there is no such file; name it with --config FILE") }
        return try BoxConfiguration(main: main, hostName: Self.hostName()) { state in
            var added = Self.added(below: state)
            if let candidate {
                added.texts[candidate.name] = ConfigurationText(
                    file: Self.path(of: candidate.name, state: state), text: candidate.text)
            }
            return added
        }
    }

    /// Where the box keeps things, as far as the file says; its mistakes, and a file that is not there, are no matter here.
    package func directories() -> BoxDirectories {
        // What cannot be read says nothing.
        guard let main = try? Self.text(of: mainPath) else { return BoxDirectories() }
        return BoxDirectories(main)
    }

    /// The file of a camera in `cameras.d`.
    package static func path(of camera: String, state: String) -> String { "\(state)/cameras.d/\(camera).yaml" }

    /// The text of the camera's file in `cameras.d`; nil when there is none.
    package static func addedText(of camera: String, state: String) throws(ConfigurationError) -> String? {
        try text(of: path(of: camera, state: state))?.text
    }

    /// A camera's file in `cameras.d` as cvrd writes it.
    package static func render(_ values: [(key: String, value: String)], enabled: Bool) -> String {
        var text = "# Written by cvrd for `cvrctl camera`.\n"
        for (key, value) in values { text += "\(key): \(quoted(value))\n" }
        return enabled ? text : text + "\(Schema.enabled): false\n"
    }

    /// `text` of a file in `cameras.d` with `enabled` set; nil when nothing would be left to say.
    package static func setEnabled(_ enabled: Bool, in text: String) -> String? {
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("\(Schema.enabled):") }
        guard enabled else { return (lines + ["\(Schema.enabled): false"]).joined(separator: "\n") + "\n" }
        let saysMore = lines.contains { !$0.hasPrefix("#") }
        return saysMore ? lines.joined(separator: "\n") + "\n" : nil
    }

    /// Every file that can be read, and what is wrong with each that cannot.
    private static func added(
        below state: String
    ) -> (texts: [String: ConfigurationText], mistakes: [ConfigurationMistake]) {
        let directory = "\(state)/cameras.d"
        guard let handle = opendir(directory) else {
            if errno == ENOENT { return ([:], []) }
            return ([:], failure(directory, "cannot be read: \(String(cString: strerror(errno)))").mistakes)
        }
        defer { closedir(handle) }
        var found: [String: ConfigurationText] = [:]
        var mistakes: [ConfigurationMistake] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(".yaml"), !name.hasPrefix(".") else { continue }
            do throws(ConfigurationError) {
                if let text = try text(of: "\(directory)/\(name)") { found[String(name.dropLast(5))] = text }
            } catch {
                mistakes += error.mistakes
            }
        }
        return (found, mistakes)
    }

    private static func text(of path: String) throws(ConfigurationError) -> ConfigurationText? {
        let bytes: [UInt8]?
        do throws(FileError) {
            bytes = try SmallFile.read(path, limit: ConfigurationText.maximumLength)
        } catch {
            throw failure(path, "\(error)")
        }
        guard let bytes else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure(path, "not UTF-8 text") }
        return ConfigurationText(file: path, text: text)
    }

    private static func failure(_ path: String, _ reason: String) -> ConfigurationError {
        ConfigurationError([ConfigurationMistake(file: path, line: 0, key: "", reason: reason)])
    }

    /// A YAML double-quoted scalar (YAML 1.2, 7.3.1); control characters never come here.
    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    private static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
