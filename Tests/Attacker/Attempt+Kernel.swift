internal import CAttack
internal import CLinux
internal import Ingest

extension Attempt {
    static var sockets: [Attempt] {
        [
            Attempt("socket.unix") { _ in make(AF_UNIX, 1) },
            Attempt("socket.pair") { _ in
                var ends: [Int32] = [0, 0]
                return ends.withUnsafeMutableBytes {
                    call(SYS_socketpair, Int(AF_UNIX), 1, 0, Int(bitPattern: $0.baseAddress)).errno
                }
            },
            Attempt("socket.admin") { connect($0.runtime + "/admin.sock") },
            Attempt("socket.sync") { connect($0.runtime + "/sync/sync.sock") },
            Attempt("socket.neighbour") { connect($0.neighbourRun + "/worker.sock") },
            Attempt("socket.abstract") { connect($0.victimSocket) },
            Attempt("socket.bind") { attack_listen_unix($0.run + "/attack.sock") >= 0 ? 0 : cvr_errno() },
            Attempt("socket.inherited") { prey in
                // Whatever is still open: the listener, a connection.
                for fd in Int32(3)..<64 where attack_connect_unix(fd, prey.runtime + "/admin.sock") == 0 { return 0 }
                return EINVAL
            },
            Attempt("socket.netlink") { _ in make(AF_NETLINK, 3) },
            Attempt("socket.packet") { _ in make(AF_PACKET, 3) },
            Attempt("socket.raw") { _ in make(AF_INET, 3, 1) },
            Attempt("socket.cryptography") { _ in make(38, 5) },
            Attempt("socket.machine") { _ in make(40, 1) },
            Attempt("socket.multipath") { attack_tcp(AF_INET, 262, $0.port, 0) },
            Attempt("socket.fastOpen") { attack_tcp(AF_INET, 0, $0.port, 1) },
            Attempt("socket.listen") { _ in attack_listen_tcp() > 0 ? 0 : cvr_errno() },
            Attempt("socket.filter") { _ in
                let fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
                var lock: Int32 = 1
                return setsockopt(fd, 1, 44, &lock, 4) == 0 ? 0 : cvr_errno()  // SO_LOCK_FILTER
            },
            Attempt("socket.interfaces") { _ in
                let fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
                var list = [0, 0]
                return list.withUnsafeMutableBytes {
                    call(SYS_ioctl, Int(fd), 0x8912, Int(bitPattern: $0.baseAddress)).errno  // SIOCGIFCONF
                }
            },
        ]
    }

    /// The kernel itself: what a worker has no use for, and what would undo the sandbox.
    static var kernel: [Attempt] {
        [
            Attempt("kernel.userNamespace") { _ in call(SYS_unshare, 0x1000_0000).errno },
            Attempt("kernel.namespaceOfVictim") { prey in
                let file = cvr_open("/proc/\(prey.victim)/ns/uts", O_RDONLY, 0)
                return file >= 0 ? call(SYS_setns, Int(file), 0).errno : cvr_errno()
            },
            Attempt("kernel.mount") { prey in
                let errno = "none".withCString { what in
                    prey.neighbourCache.withCString {
                        call(SYS_mount, Int(bitPattern: $0), Int(bitPattern: $0), Int(bitPattern: what), 0x1000).errno
                    }
                }
                if errno == 0 { _ = call(SYS_umount2, path: prey.neighbourCache, 2) }
                return errno
            },
            Attempt("kernel.openTree") { prey in
                prey.neighbourCache.withCString { call(428, -100, Int(bitPattern: $0), 0x1).errno }
            },
            Attempt("kernel.ring") { _ in
                var parameters = [UInt32](repeating: 0, count: 32)
                return parameters.withUnsafeMutableBytes { call(425, 8, Int(bitPattern: $0.baseAddress)).errno }
            },
            Attempt("kernel.memoryFile") { _ in "m".withCString { call(SYS_memfd_create, Int(bitPattern: $0)).errno } },
            Attempt("kernel.sharedMemory") { _ in call(SYS_shmget, 0, 4096, 0o600 | 0o1000).errno },
            Attempt("kernel.messages") { _ in call(SYS_msgget, 0, 0o600 | 0o1000).errno },
            Attempt("kernel.watch") { _ in call(SYS_inotify_init1, 0).errno },
            Attempt("kernel.keys") { _ in call(SYS_keyctl, 0, -3, 1).errno },
            Attempt("kernel.faults") { _ in call(SYS_userfaultfd, 1).errno },
            Attempt("kernel.becomeDumpable") { _ in call(SYS_prctl, 4, 1).errno },
            Attempt("kernel.privileges") { _ in call(SYS_prctl, 38, 1).errno },
            Attempt("kernel.personality") { _ in call(SYS_personality, 0).errno },
            Attempt("kernel.user") { _ in call(SYS_setuid, Int(getuid())).errno },
            Attempt("kernel.limits") { _ in
                var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
                return withUnsafeMutablePointer(to: &limit) {
                    call(SYS_setrlimit, 1, Int(bitPattern: $0)).errno
                }
            },
            Attempt("kernel.session") { _ in call(SYS_setsid).errno },
            Attempt("kernel.timer") { _ in call(SYS_timerfd_create, 0, 0).errno },
            Attempt("kernel.events") { _ in call(SYS_eventfd2, 0, 0).errno },
        ]
    }

    private static func make(_ family: Int32, _ kind: Int32, _ number: Int32 = 0) -> Int32 {
        socket(family, kind, number) >= 0 ? 0 : cvr_errno()
    }

    private static func connect(_ path: String) -> Int32 {
        let fd = socket(AF_UNIX, 1, 0)
        return fd >= 0 ? attack_connect_unix(fd, path) : cvr_errno()
    }
}
