import Configuration
package import Messages
package import Recording

/// What an operator wants to be different.
package enum ConfigurationChange: Sendable {
    case reload
    case add(Admin.AddCamera)
    case remove(CameraName)
    case enable(CameraName, Bool)
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

    /// Writes what `change` asks for and reads everything again; blocks on the disk.
    func make(_ change: ConfigurationChange) throws -> BoxConfiguration {
        do {
            switch change {
            case .reload: break
            case .add(let camera): try add(camera)
            case .remove(let name): try remove(name)
            case .enable(let name, let enabled): try enable(name, enabled)
            }
            let box = try files.load()
            guard Places(box) == places else {
                throw ChangeRefusal.refused(
                    "runtime.path, state.path and cache.path cannot change while cvrd runs",
                    nextStep: "Restart cvrd")
            }
            return box
        } catch let error as ConfigurationError {
            throw ChangeRefusal.invalid(error.description, nextStep: "Correct it and reload; nothing was changed")
        } catch let error as FileError {
            throw ChangeRefusal.failed(error.description, nextStep: error.nextStep)
        }
    }

    /// The credential goes first: cut short in between, a password nobody names is left and the next try replaces it.
    private func add(_ camera: Admin.AddCamera) throws {
        let known = try files.load()
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
            throw ChangeRefusal.invalid("the password is not one line of text", nextStep: "Give it without a newline")
        }
        let credential = "added-\(name)"
        var values: [(key: String, value: String)] = [("url", camera.url)]
        if let username = camera.username, !username.isEmpty { values.append(("username", username)) }
        if !password.isEmpty { values.append(("credential", credential)) }
        if let transport = camera.transport { values.append(("transport", transport)) }
        if let length = camera.segmentLength { values.append(("segmentLength", length)) }
        if let retention = camera.retention { values.append(("retention", retention)) }
        for (key, value) in values where value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            throw ChangeRefusal.invalid("\(key) holds control characters", nextStep: "Give it as plain text")
        }
        let text = ConfigurationFiles.render(values, enabled: true)
        _ = try files.load(candidate: (name.text, text))
        if !password.isEmpty {
            try SmallFile.makeDirectory(places.credentials)
            try SmallFile.write(
                Array(password.revealed().utf8), to: "\(places.credentials)/\(credential)", mode: 0o600)
        }
        try write(text, for: name)
    }

    private func remove(_ name: CameraName) throws {
        let camera = try require(name)
        guard camera.origin == ConfigurationFiles.path(of: name.text, state: places.state) else {
            throw ChangeRefusal.refused(
                "\(name) is defined in \(camera.origin)", nextStep: "Remove it there and run `cvrctl reload`")
        }
        try SmallFile.remove(camera.origin)
        if camera.credential == "added-\(name)" { try SmallFile.remove("\(places.credentials)/added-\(name)") }
    }

    private func enable(_ name: CameraName, _ enabled: Bool) throws {
        guard try require(name).enabled != enabled else { return }
        let text = try ConfigurationFiles.addedText(of: name.text, state: places.state) ?? ""
        if let changed = ConfigurationFiles.setEnabled(enabled, in: text) {
            try write(changed, for: name)
        } else {
            try SmallFile.remove(ConfigurationFiles.path(of: name.text, state: places.state))
        }
    }

    private func require(_ name: CameraName) throws -> CameraConfiguration {
        guard let camera = try files.load().cameras[name] else {
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
        password.revealed().unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    }
}
