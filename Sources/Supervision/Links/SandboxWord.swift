/// What a process says of its sandbox when it greets: before it has heard anything from outside.
struct SandboxWord: Hashable, Sendable {
    /// For `status`.
    let text: String

    init(_ said: String) {
        text = said.isEmpty ? "degraded: unknown, its build says nothing of it" : String(said.prefix(200))
    }

    static let nextStep = "Boot a kernel of 5.13 or later with Landlock (landlock among lsm=) and seccomp"

    /// What is there, and what is not; nil for a whole one.
    var degradation: Substring? { text.hasPrefix("degraded: ") ? text.dropFirst("degraded: ".count) : nil }

    var warning: String? {
        degradation.map {
            "this process is confined less than it should be: \($0). \(Self.nextStep); `cvrctl doctor` tells more"
        }
    }
}
