package import Messages
package import Recording
import YAMLConfiguration

/// What an operator wants to be different.
package enum ConfigurationChange: Sendable {
    case reload
    case add(Admin.AddCamera)
    case remove(CameraName)
    case enable(CameraName, Bool)

    var isReload: Bool { if case .reload = self { true } else { false } }
}

/// Why a change was not made; the configuration is as it was.
package enum ChangeRefusal: Error, Sendable {
    case notFound(String, nextStep: String)
    case invalid(String, nextStep: String)
    case refused(String, nextStep: String)
    case failed(String, nextStep: String)
}

/// Makes changes on disk, each checked with everything else before anything is written.
struct ConfigurationStore: Sendable {
    let files: ConfigurationFiles
    let places: Places

    /// Writes what `change` asks for; returns `running` with it, and what could not be tidied up.
    ///
    /// Blocks on the disk. A change of one camera leaves every other edit to a reload.
    func make(
        _ change: ConfigurationChange, running: BoxConfiguration
    ) throws -> (box: BoxConfiguration, leftover: String?) {
        do {
            let known = try load()
            let name: CameraName
            var leftover: String?
            switch change {
            case .reload: return (known, nil)
            case .add(let camera): name = try add(camera, known)
            case .remove(let camera):
                name = camera
                leftover = try remove(camera, known)
            case .enable(let camera, let enabled):
                name = camera
                try enable(camera, enabled, known)
            }
            var box = running
            box.cameras[name] = try load().cameras[name]
            return (box, leftover)
        } catch let error as ConfigurationError {
            throw ChangeRefusal.refused(error.description, nextStep: "Correct it and reload; nothing was changed")
        } catch let error as FileError {
            throw ChangeRefusal.failed(error.description, nextStep: error.nextStep)
        }
    }

    /// What the files say, if it can be applied at all: nothing is written beside what cannot.
    private func load() throws -> BoxConfiguration {
        let box = try files.load()
        guard Places(box) == places else {
            throw ChangeRefusal.refused(
                "runtime.path, state.path and cache.path cannot change while cvrd runs", nextStep: "Restart cvrd")
        }
        return box
    }

    /// The credential goes first: cut short in between, a password nobody names is left and the next try replaces it.
    private func add(_ camera: Admin.AddCamera, _ known: BoxConfiguration) throws -> CameraName {
        guard let name = CameraName(camera.name) else {
            throw ChangeRefusal.invalid(
                "not a camera's name: [a-z0-9][a-z0-9-]{0,31}", nextStep: "Choose a name of that form")
        }
        if let existing = known.cameras[name] {
            throw ChangeRefusal.refused(
                "\(name) is already in \(existing.origin)", nextStep: "Remove it first, or choose another name")
        }
        let password = Secret(camera.password ?? "")
        guard password.isEmpty || Self.isOneLine(password) else {
            throw ChangeRefusal.invalid(
                "the password is not one line of at most \(CredentialFile.maximumLength) bytes",
                nextStep: "Give it without a newline")
        }
        let credential = "added-\(name)"
        let text = try Self.text(camera, credential: password.isEmpty ? nil : credential)
        try check(name, text)
        if !password.isEmpty {
            try SmallFile.makeDirectory(places.credentials)
            try SmallFile.write(
                Array(password.revealed().utf8), to: "\(places.credentials)/\(credential)", mode: 0o600)
        }
        try write(text, for: name)
        return name
    }

    private static func text(_ camera: Admin.AddCamera, credential: String?) throws -> String {
        var values: [(key: String, value: String)] = [("url", camera.url)]
        if let username = camera.username, !username.isEmpty { values.append(("username", username)) }
        if let credential { values.append(("credential", credential)) }
        guard credential == nil || values.contains(where: { $0.key == "username" }) else {
            throw ChangeRefusal.invalid("a password needs a user name", nextStep: "Give the user with --username")
        }
        if let transport = camera.transport { values.append(("transport", transport)) }
        if let length = camera.segmentLength { values.append(("segmentLength", length)) }
        if let retention = camera.retention { values.append(("retention", retention)) }
        for (key, value) in values where value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            throw ChangeRefusal.invalid("\(key) holds control characters", nextStep: "Give it as plain text")
        }
        return ConfigurationFiles.render(values, enabled: true)
    }

    /// All else was valid: what is wrong now is what the caller asked for, in a file that nobody wrote.
    private func check(_ name: CameraName, _ text: String) throws {
        do throws(ConfigurationError) {
            _ = try files.load(candidate: (name.text, text))
        } catch {
            let mistakes = error.mistakes.map { $0.key.isEmpty ? $0.reason : "\($0.key): \($0.reason)" }
            throw ChangeRefusal.invalid(
                mistakes.joined(separator: "; "), nextStep: "Correct the command; nothing was changed")
        }
    }

    /// Once its file is gone the camera is; a password that stays behind is only told.
    private func remove(_ name: CameraName, _ known: BoxConfiguration) throws -> String? {
        let camera = try require(name, known)
        guard camera.origin == ConfigurationFiles.path(of: name.text, state: places.state) else {
            throw ChangeRefusal.refused(
                "\(name) is defined in \(camera.origin)", nextStep: "Remove it there and run `cvrctl reload`")
        }
        try SmallFile.remove(camera.origin)
        guard camera.credential == "added-\(name)" else { return nil }
        do throws(FileError) {
            try SmallFile.remove("\(places.credentials)/added-\(name)")
            return nil
        } catch {
            return "\(error)"
        }
    }

    private func enable(_ name: CameraName, _ enabled: Bool, _ known: BoxConfiguration) throws {
        guard try require(name, known).enabled != enabled else { return }
        let text = try ConfigurationFiles.addedText(of: name.text, state: places.state) ?? ""
        if let changed = ConfigurationFiles.setEnabled(enabled, in: text) {
            try write(changed, for: name)
        } else {
            try SmallFile.remove(ConfigurationFiles.path(of: name.text, state: places.state))
        }
    }

    private func require(_ name: CameraName, _ known: BoxConfiguration) throws -> CameraConfiguration {
        guard let camera = known.cameras[name] else {
            throw ChangeRefusal.notFound("there is no camera \(name)", nextStep: "See `cvrctl cameras`")
        }
        return camera
    }

    private func write(_ text: String, for name: CameraName) throws {
        let path = ConfigurationFiles.path(of: name.text, state: places.state)
        try SmallFile.makeDirectory("\(places.state)/cameras.d")
        try SmallFile.write(Array(text.utf8), to: path, mode: 0o600)
    }

    private static func isOneLine(_ password: Secret) -> Bool {
        password.revealed().utf8.count <= CredentialFile.maximumLength
            && password.revealed().unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    }
}
