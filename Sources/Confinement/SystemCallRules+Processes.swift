internal import CLinux

extension SystemCallRules {
    /// A worker's: what libavformat, the resolver, the C library and our own code need to record one camera, and no more.
    ///
    /// No program is run, no process made, traced, read or signalled, no Unix socket made, no port listened at, no memory
    /// made executable, no link, device or mode set. Wider than what one C library was seen to use, since the next one's
    /// differ; each line that grants an argument says what it withholds.
    package static func worker(pid: Int32) -> SystemCallRules {
        SystemCallRules(
            otherwise: .end,
            rules: rules(files) + rules(memoryAndTime) + rules(signals) + rules(network) + arguments(pid: pid))
    }

    private static let files = """
        read write readv writev pread64 pwrite64 lseek close dup open openat access faccessat faccessat2
        stat lstat fstat newfstatat statx statfs fstatfs readlink readlinkat getdents64
        mkdir mkdirat rmdir rename renameat renameat2 unlink unlinkat ftruncate fallocate fsync fdatasync fadvise64 flock
        """

    private static let memoryAndTime = """
        munmap mremap madvise brk mincore membarrier get_mempolicy
        clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time clock_adjtime adjtimex
        getrandom uname sysinfo getpid getppid gettid getuid geteuid getgid getegid sched_yield sched_getaffinity
        getrusage umask exit exit_group
        """

    private static let signals = """
        futex rseq set_robust_list restart_syscall rt_sigaction rt_sigprocmask rt_sigpending rt_sigreturn rt_sigtimedwait
        sigaltstack
        """

    private static let network = """
        poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait accept accept4
        connect bind shutdown recvfrom recvmsg recvmmsg getsockopt getsockname getpeername
        """

    private static func arguments(pid: Int32) -> [Rule] {
        let executable: UInt64 = 4  // PROT_EXEC
        let fastOpen: UInt64 = 0x2000_0000  // MSG_FASTOPEN: a connection that no rule for connect(2) sees
        return [
            Rule(call: "mmap", conditions: [.masked(2, mask: executable, 0)]),
            // A module of the name service, where no Landlock hides it: libc does without.
            Rule(call: "mmap", conditions: [.masked(2, mask: executable, executable)], answer: .refuse(errno: EACCES)),
            Rule(call: "mprotect", conditions: [.masked(2, mask: executable, 0)]),
            Rule(call: "sendto", conditions: [.masked(3, mask: fastOpen, 0)]),
            Rule(call: "sendmsg", conditions: [.masked(2, mask: fastOpen, 0)]),
            Rule(call: "sendmmsg", conditions: [.masked(3, mask: fastOpen, 0)]),
            // getrlimit(3) is this call; no other process's limits, and no new ones.
            Rule(call: "prlimit64", conditions: [.equals(0, 0), .masked(2, mask: .max, 0)]),
            // abort(3), and the failpoints of the tests.
            Rule(call: "tgkill", conditions: [.equals(0, pid)]),
            Rule(call: "kill", conditions: [.equals(0, pid)]),
            // isatty(3).
            Rule(call: "ioctl", conditions: [.equals(1, 0x5401)], answer: .refuse(errno: ENOTTY)),
        ]
            + rules("ioctl", argument: 1, oneOf: [0x5421, 0x541B])  // FIONBIO, FIONREAD
            // F_{GET,SET}{FD,FL}, F_DUPFD_CLOEXEC; not F_SETOWN, by which a socket signals another process.
            + rules("fcntl", argument: 1, oneOf: [1, 2, 3, 4, 1030])
            + sockets + socketOptions
    }

    /// TCP and UDP; not MPTCP, raw packets, or the kernel's cryptography.
    ///
    /// What the resolver tries first is refused.
    private static var sockets: [Rule] {
        var rules: [Rule] = []
        for family in [AF_INET, AF_INET6] {
            for (kind, protocols) in [(1, [0, 6]), (2, [0, 17])] as [(UInt64, [Int32])] {
                let kind = Condition.masked(1, mask: 15, kind)  // without SOCK_CLOEXEC and SOCK_NONBLOCK
                for number in protocols {
                    rules.append(
                        Rule(call: "socket", conditions: [.equals(0, family), kind, .equals(2, number)]))
                }
            }
        }
        // A name service's Unix socket, and the list of our addresses: without them it asks the name server.
        for family in [AF_UNIX, AF_NETLINK] {
            rules.append(
                Rule(call: "socket", conditions: [.equals(0, family)], answer: .refuse(errno: EACCES)))
        }
        return rules
    }

    private static var socketOptions: [Rule] {
        // SO_REUSEADDR, BROADCAST, SNDBUF, RCVBUF, KEEPALIVE, LINGER, RCVTIMEO, SNDTIMEO
        let general: [Int32] = [2, 6, 7, 8, 9, 13, 20, 21]
        // TCP_NODELAY, MAXSEG, KEEPIDLE, KEEPINTVL, KEEPCNT, QUICKACK, USER_TIMEOUT
        let tcp: [Int32] = [1, 2, 4, 5, 6, 12, 18]
        // IP_TOS, TTL, MTU_DISCOVER, RECVERR, and those of multicast
        let ip: [Int32] = [1, 2, 10, 11, 32, 33, 34, 35, 36, 39]
        // IPV6_UNICAST_HOPS, RECVERR, V6ONLY, TCLASS, and those of multicast
        let ipv6: [Int32] = [16, 17, 18, 19, 20, 21, 25, 26, 67]
        let levels: [(Int32, [Int32])] = [(1, general), (6, tcp), (0, ip), (41, ipv6)]
        return levels.flatMap { level, options in
            options.map { Rule(call: "setsockopt", conditions: [.equals(1, level), .equals(2, $0)]) }
        }
    }
}

extension SystemCallRules {
    /// cvr-sync's: everything but what would reach beyond its own process.
    ///
    /// A list of what is withheld, since it has threads, a database and a client of clouds: Landlock is what keeps its
    /// files.
    package static func sync(pid: Int32, usesNetwork: Bool) -> SystemCallRules {
        let thread: UInt64 = 0x10000  // CLONE_THREAD
        var rules = othersWithheld(pid: pid)
        rules += Self.rules("execve fork vfork pidfd_open pidfd_send_signal", .end)
        rules += Self.rules("setpriority", .refuse(errno: EPERM))
        rules.append(Rule(call: "clone", conditions: [.masked(0, mask: thread, 0)], answer: .end))
        return SystemCallRules(otherwise: .allow, rules: rules + (usesNetwork ? clientSockets : noSockets))
    }

    /// cvr-playback's, and with its own on top cvr-preview's: as cvr-sync's, but that it starts the latter.
    ///
    /// Which programs those may be is Landlock's to say. It may watch a child, and not signal it, since by the same call
    /// it could end a worker: a child ends by its own limits. No port is taken but the one that it listens at already.
    package static func playback(pid: Int32, usesNetwork: Bool) -> SystemCallRules {
        var rules = othersWithheld(pid: pid)
        rules += Self.rules("pidfd_send_signal", .refuse(errno: EPERM))
        rules += Self.rules("bind", .refuse(errno: EACCES))
        // cvr-preview lets recording go first: of PRIO_PROCESS and itself alone.
        for argument in [0, 1] as [UInt32] {
            rules.append(
                Rule(call: "setpriority", conditions: [.differs(argument, 0)], answer: .refuse(errno: EPERM)))
        }
        return SystemCallRules(otherwise: .allow, rules: rules + (usesNetwork ? clientSockets : noSockets))
    }

    /// cvr-gateway's: as cvr-sync's, with the network, but that it takes no port: it listens before.
    package static func gateway(pid: Int32) -> SystemCallRules {
        var gateway = sync(pid: pid, usesNetwork: true)
        gateway.rules += rules("bind", .refuse(errno: EACCES))
        // Landlock lets its user change what files of its user say of themselves; it has none.
        gateway.rules += rules(
            """
            chmod fchmodat chown lchown fchownat utime utimes futimesat utimensat
            setxattr lsetxattr removexattr lremovexattr
            """, .refuse(errno: EPERM))
        return gateway
    }

    /// What reaches into other processes, or around Landlock.
    private static func othersWithheld(pid: Int32) -> [Rule] {
        var rules = rules(
            """
            execveat ptrace process_vm_readv process_vm_writev process_madvise kcmp
            pidfd_getfd tkill rt_sigqueueinfo rt_tgsigqueueinfo truncate link linkat symlink symlinkat
            mknod mknodat mount umount2 move_mount open_tree fsopen fsmount pivot_root chroot unshare setns bpf
            perf_event_open userfaultfd io_uring_setup keyctl add_key request_key memfd_create memfd_secret
            open_by_handle_at name_to_handle_at init_module finit_module kexec_load
            """, .end)
        // The C library then makes its threads by clone(2), whose flags can be looked at.
        rules += Self.rules("clone3", .refuse(errno: ENOSYS))
        for call in ["kill", "tgkill"] {
            rules.append(Rule(call: call, conditions: [.differs(0, pid)], answer: .end))
        }
        // By F_SETOWN, F_SETSIG and their like a socket signals another process.
        for (call, commands) in [("fcntl", [8, 10, 15]), ("ioctl", [0x8901, 0x8902])] as [(String, [Int32])] {
            rules += commands.map { Rule(call: call, conditions: [.equals(1, $0)], answer: .end) }
        }
        // Another process without memory, files or time is as good as killed.
        rules.append(Rule(call: "prlimit64", conditions: [.differs(0, 0)], answer: .end))
        rules += Self.rules(
            "ioprio_set sched_setscheduler sched_setparam sched_setattr sched_setaffinity",
            .refuse(errno: EPERM))
        return rules
    }

    /// A `file:` store needs no network, and cvr-sync's own socket is bound before: no worker's, nor cvrd's, is in reach,
    /// which Landlock does not see to.
    private static let noSockets = rules("socket connect", .refuse(errno: EACCES))

    /// TCP, and UDP for the name server; no Unix socket, raw packets, or the kernel's tables.
    ///
    /// Families one by one, since a rule compares an argument once; beyond 64 there are none.
    private static let clientSockets =
        (0..<64).filter { $0 != AF_INET && $0 != AF_INET6 }.map { family in
            Rule(call: "socket", conditions: [.equals(0, family)], answer: .refuse(errno: EACCES))
        } + [
            Rule(call: "socket", conditions: [.masked(1, mask: 15, 3)], answer: .refuse(errno: EACCES)),  // SOCK_RAW
            Rule(call: "socket", conditions: [.equals(2, 262)], answer: .refuse(errno: EACCES)),  // MPTCP
        ]
}
