internal import CLinux
internal import CSeccomp

/// The kernel's filter of system calls: it holds for this thread and those that it starts from now on, and cannot be
/// undone.
package enum SystemCallFilter {
    package enum Outcome: Hashable, Sendable {
        case enforced
        /// Not in this kernel, or it would not.
        case absent(errno: Int32)
    }

    /// From here on only what `rules` allow reaches the kernel.
    ///
    /// A call that ends the process is named on standard error first, which is cvrd's log: no privilege is needed to see
    /// what was refused. Calls by another architecture's numbers are none of ours and kill at once.
    static func load(_ rules: SystemCallRules) -> Outcome {
        guard cvr_watch_forbidden_calls() == 0 else { return .absent(errno: cvr_errno()) }
        guard let filter = seccomp_init(action(rules.otherwise)) else { return .absent(errno: ENOMEM) }
        defer { seccomp_release(filter) }
        seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2)  // a binary tree: each call costs a few comparisons
        for rule in rules.rules {
            let number = seccomp_syscall_resolve_name(rule.call)
            // A newer call than this libseccomp knows, or an older one than this architecture has.
            guard number != __NR_SCMP_ERROR else { continue }
            let conditions = rule.conditions.map(comparison)
            let failure = seccomp_rule_add_array(
                filter, action(rule.answer), number, UInt32(conditions.count), conditions)
            guard failure == 0 else { return .absent(errno: -failure) }
        }
        let failure = seccomp_load(filter)
        return failure == 0 ? .enforced : .absent(errno: -failure)
    }

    private static func action(_ answer: SystemCallRules.Answer) -> UInt32 {
        switch answer {
        case .allow: SCMP_ACT_ALLOW
        case .refuse(let errno): cvr_seccomp_errno(errno)
        case .end: SCMP_ACT_TRAP
        }
    }

    private static func comparison(_ condition: SystemCallRules.Condition) -> scmp_arg_cmp {
        switch condition {
        case .equals(let argument, let value):
            scmp_arg_cmp(
                arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: 0xFFFF_FFFF, datum_b: UInt64(UInt32(bitPattern: value)))
        case .differs(let argument, let value):
            scmp_arg_cmp(arg: argument, op: SCMP_CMP_NE, datum_a: UInt64(UInt32(bitPattern: value)), datum_b: 0)
        case .masked(let argument, let mask, let value):
            scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
        }
    }
}
