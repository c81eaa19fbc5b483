/// What a process says of its sandbox when it greets: before it has heard anything from outside.
struct SandboxWord: Hashable, Sendable {
    /// For `status`.
    let text: String

    init(_ said: String) {
        text = said.isEmpty ? "degraded: unknown, its build says nothing of it" : String(said.prefix(200))
    }

    /// Nil for a whole one.
    var warning: String? {
        guard text.hasPrefix("degraded: ") else { return nil }
        return "this process is confined less than it should be: \(text.dropFirst("degraded: ".count)). "
            + "Boot a kernel with Landlock (5.13 or later, landlock among lsm=) and seccomp; `cvrctl doctor` tells more"
    }
}
