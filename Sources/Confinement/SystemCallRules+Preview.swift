internal import CLinux

extension SystemCallRules {
    /// cvr-preview's: descriptors that it was given are read and written, memory comes and goes, and it ends.
    ///
    /// Nothing is opened, made, asked of another process or run; no thread, no memory that could be executed. What is
    /// allowed beside that is what the C library and the Swift runtime ask of the kernel by themselves.
    package static func preview(pid: Int32) -> SystemCallRules {
        let executable: UInt64 = 4  // PROT_EXEC
        return SystemCallRules(
            otherwise: .end,
            rules: rules(
                """
                read write munmap mremap madvise brk exit exit_group futex rt_sigreturn rt_sigprocmask restart_syscall
                clock_gettime gettimeofday getrandom sysinfo sched_getaffinity getpid gettid
                """) + [
                    Rule(call: "mmap", conditions: [.masked(2, mask: executable, 0)]),
                    Rule(call: "mprotect", conditions: [.masked(2, mask: executable, 0)]),
                    // signal(3) and abort(3), of our own process.
                    Rule(call: "rt_sigaction"),
                    Rule(call: "tgkill", conditions: [.equals(0, pid)]),
                ])
    }
}
