internal import CLinux

/// What holds a process back, once it has shut itself in: how much of it this kernel knows.
///
/// A process that cannot be held back works on all the same: footage comes first, and whoever looks sees it.
package struct Sandbox: Hashable, Sendable {
    package var landlock: Landlock.Outcome
    package var filter: SystemCallFilter.Outcome
    /// An environment variable asked for less: how tests see what an older kernel would do.
    package var isWithheld: Bool
    /// Other threads were there before, and stay outside.
    package var hasOutsiders: Bool

    package init(
        landlock: Landlock.Outcome, filter: SystemCallFilter.Outcome, isWithheld: Bool = false,
        hasOutsiders: Bool = false
    ) {
        self.landlock = landlock
        self.filter = filter
        self.isWithheld = isWithheld
        self.hasOutsiders = hasOutsiders
    }

    /// Shuts this process in; to be called once, on its only thread, with everything open that the rules do not name.
    ///
    /// What later versions of Landlock add, the filter withholds as well, so that the first does.
    package static func close(files: FileRules, calls: SystemCallRules) -> Sandbox {
        let (limits, hasOutsiders) = (SandboxLimits.environment(), hasOtherThreads())
        _ = cvr_forbid_new_privileges()
        // No core of it is written, and no other process of the same user may read it (I10).
        _ = cvr_forbid_dumps()
        let landlock: Landlock.Outcome
        switch Landlock.version() {
        case .success(let version) where limits.landlock > 0:
            landlock = Landlock.restrict(to: files, version: min(version, limits.landlock))
        case .success: landlock = .absent(errno: ENOSYS)
        case .failure(let failure): landlock = .absent(errno: failure.errno)
        }
        // Last: nothing of the above is among its calls.
        let filter = limits.filters ? SystemCallFilter.load(calls) : .absent(errno: ENOSYS)
        return Sandbox(
            landlock: landlock, filter: filter, isWithheld: limits != SandboxLimits(), hasOutsiders: hasOutsiders)
    }

    /// A folder has two names, and one more from each folder in it: here one for each thread.
    private static func hasOtherThreads() -> Bool {
        var status = stat()
        return stat("/proc/self/task", &status) == 0 && status.st_nlink > 3
    }

    /// For `hello`, `status` and the operator: `landlock 7, seccomp`, or `degraded: ` and what is missing.
    package var text: String {
        let parts = [landlock.text, filter.text].joined(separator: ", ")
        if landlock.isEnforced, filter == .enforced, !isWithheld, !hasOutsiders { return parts }
        return "degraded: " + parts + (isWithheld ? " (CVR_SANDBOX is set)" : "")
            + (hasOutsiders ? ", some threads outside" : "")
    }
}

/// How much of a sandbox may be used: `CVR_SANDBOX=landlock:3` or `landlock:0,noseccomp` in cvrd's environment.
///
/// For tests of what an older kernel would do; never silent (`Sandbox.isWithheld`).
struct SandboxLimits: Hashable, Sendable {
    var landlock = Int32.max
    var filters = true

    static func environment() -> SandboxLimits {
        getenv("CVR_SANDBOX").map { SandboxLimits(String(cString: $0)) } ?? SandboxLimits()
    }

    init() {}

    init(_ text: String) {
        for word in text.split(separator: ",") {
            if word == "noseccomp" { filters = false }
            if word.hasPrefix("landlock:"), let version = Int32(word.dropFirst("landlock:".count)) {
                landlock = version
            }
        }
    }
}

extension Landlock.Outcome {
    package var isEnforced: Bool {
        if case .enforced = self { true } else { false }
    }

    var text: String {
        switch self {
        case .enforced(let version): "landlock \(version)"
        case .absent(let errno): "no landlock (\(String(cString: strerror(errno))))"
        case .failed(let operation, let errno):
            "no landlock (cannot \(operation): \(String(cString: strerror(errno))))"
        }
    }
}

extension SystemCallFilter.Outcome {
    var text: String {
        switch self {
        case .enforced: "seccomp"
        case .absent(let errno): "no seccomp (\(String(cString: strerror(errno))))"
        }
    }
}
