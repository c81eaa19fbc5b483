package import Recording

/// What a worker is told on its command line: nothing that is secret, nothing that changes.
package struct WorkerArguments: Hashable, Sendable {
    package var camera: CameraName
    package var slot: Slot
    package var cachePath: String
    package var runPath: String
    /// Started beside a worker that records, to go on where that one leaves off.
    package var isSuccessor: Bool

    /// Nil unless each option is there once, with a value that makes sense; `--role successor` may be left out.
    package init?(_ arguments: some Sequence<String>) {
        var values: [String: String] = [:]
        var rest = Array(arguments)[...]
        while let option = rest.popFirst() {
            guard let value = rest.popFirst(), values.updateValue(value, forKey: option) == nil else { return nil }
        }
        let role = values.removeValue(forKey: "--role")
        guard values.count == 4, [nil, "successor"].contains(role),
            let camera = values["--camera"].flatMap({ CameraName($0) }),
            let slot = values["--slot"].flatMap(Slot.init), let cache = values["--cache"], let run = values["--run"],
            !cache.isEmpty, !run.isEmpty
        else { return nil }
        self.camera = camera
        self.slot = slot
        cachePath = cache
        runPath = run
        isSuccessor = role != nil
    }

    /// Where the cvrd that gave us our run directory names itself; nil for a directory that none gave.
    package var supervisorLock: String? {
        let own = "/\(camera)/\(slot.rawValue)"
        return runPath.hasSuffix(own) ? runPath.dropLast(own.count) + "/cvrd.lock" : nil
    }
}
