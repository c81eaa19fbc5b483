internal import CLinux

/// The kernel's own lock on files: it holds for this thread and those that it starts from now on, and cannot be undone.
package enum Landlock {
    package enum Outcome: Hashable, Sendable {
        case enforced(version: Int32)
        /// The kernel has none: it is too old, or started without (`lsm=`).
        case absent(errno: Int32)
        /// It has, and would not.
        case failed(operation: String, errno: Int32)
    }

    /// From here on only what `rules` name can be opened.
    ///
    /// What they name and is not there stays out of reach, should it appear: a rule holds for a file, not for its name.
    /// No process but our own threads can be signalled, no abstract socket of others be reached, no TCP port be taken,
    /// where the kernel can see to that. Connections are not restricted: only their port would be, and a camera's
    /// changes while its worker records on.
    static func restrict(to rules: FileRules, version: Int32) -> Outcome {
        let network: UInt64 = version >= 4 ? 1 : 0  // LANDLOCK_ACCESS_NET_BIND_TCP
        let scopes: UInt64 = version >= 6 ? 3 : 0  // LANDLOCK_SCOPE_{ABSTRACT_UNIX_SOCKET,SIGNAL}
        let ruleset = cvr_landlock_create(LandlockRights.known(to: version).rawValue, network, scopes)
        guard ruleset >= 0 else { return .failed(operation: "create a ruleset", errno: cvr_errno()) }
        defer { close(ruleset) }
        for rule in rules.rules {
            guard allow(rule, in: ruleset, version: version) else {
                return .failed(operation: "allow \(rule.path)", errno: cvr_errno())
            }
        }
        guard cvr_landlock_restrict(ruleset) == 0 else { return .failed(operation: "restrict", errno: cvr_errno()) }
        return .enforced(version: version)
    }

    /// What the kernel knows; its errno when it knows nothing.
    static func version() -> Result<Int32, Failure> {
        let version = cvr_landlock_version()
        return version >= 1 ? .success(version) : .failure(Failure(errno: version == 0 ? ENOSYS : cvr_errno()))
    }

    struct Failure: Error {
        let errno: Int32
    }

    private static func allow(_ rule: FileRules.Rule, in ruleset: Int32, version: Int32) -> Bool {
        let path = cvr_open_path(rule.path)
        guard path >= 0 else { return true }
        defer { close(path) }
        var status = stat()
        guard fstat(path, &status) == 0 else { return false }
        let isFolder = status.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR)
        let rights = LandlockRights(rule.access, isFolder: isFolder, version: version)
        return cvr_landlock_allow(ruleset, path, rights.rawValue) == 0
    }
}
