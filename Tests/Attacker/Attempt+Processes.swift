internal import CAttack
internal import CLinux

extension Attempt {
    /// At another process of the same user.
    static var processes: [Attempt] {
        [
            Attempt("victim.kill") { call(SYS_kill, Int($0.victim), Int(SIGCONT)).errno },
            Attempt("victim.killParent") { _ in call(SYS_kill, Int(getppid()), 0).errno },
            Attempt("victim.killGroup") { _ in call(SYS_kill, 0, 0).errno },
            Attempt("victim.tkill") { call(SYS_tkill, Int($0.victim), Int(SIGCONT)).errno },
            Attempt("victim.tgkill") { call(SYS_tgkill, Int($0.victim), Int($0.victim), Int(SIGCONT)).errno },
            Attempt("victim.queue") { prey in
                var information = siginfo_t()
                information.si_code = -1
                return withUnsafeMutablePointer(to: &information) {
                    call(SYS_rt_sigqueueinfo, Int(prey.victim), Int(SIGCONT), Int(bitPattern: $0)).errno
                }
            },
            Attempt("victim.pidfd") { call(SYS_pidfd_open, Int($0.victim)).errno },
            Attempt("victim.pidfdSignal") { prey in
                let (errno, pidfd) = call(SYS_pidfd_open, Int(prey.victim))
                return errno == 0 ? call(SYS_pidfd_send_signal, pidfd, Int(SIGCONT)).errno : errno
            },
            Attempt("victim.pidfdFile") { prey in
                let (errno, pidfd) = call(SYS_pidfd_open, Int(prey.victim))
                return errno == 0 ? call(SYS_pidfd_getfd, pidfd, 0).errno : errno
            },
            Attempt("victim.signalBySocket") { prey in
                let fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
                return fd >= 0 ? call(SYS_fcntl, Int(fd), 8, Int(prey.victim)).errno : cvr_errno()  // F_SETOWN
            },
            Attempt("victim.signalByIoctl") { prey in
                let fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
                var owner = prey.victim
                return withUnsafeMutablePointer(to: &owner) {
                    fd >= 0 ? call(SYS_ioctl, Int(fd), 0x8901, Int(bitPattern: $0)).errno : cvr_errno()  // FIOSETOWN
                }
            },
            Attempt("victim.trace") { call(SYS_ptrace, 0x4206, Int($0.victim)).errno },  // PTRACE_SEIZE
            Attempt("victim.readMemory") { attack_memory($0.victim, 0, program) },
            Attempt("victim.writeMemory") { attack_memory($0.victim, 1, data) },
            Attempt("victim.limits") { prey in
                var limit = rlimit()
                return withUnsafeMutablePointer(to: &limit) {
                    call(SYS_prlimit64, Int(prey.victim), 7, 0, Int(bitPattern: $0)).errno
                }
            },
            Attempt("victim.priority") { call(SYS_setpriority, 0, Int($0.victim), 5).errno },
            Attempt("victim.compare") { call(SYS_kcmp, Int($0.victim), Int($0.victim), 0, 0, 0).errno },
        ]
    }

    /// Writable memory that the victim has at the same place: it is a fork of this very program.
    nonisolated(unsafe) private static let data = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
    private static var program: UnsafeMutableRawPointer { data }

    /// Programs, threads of control, and memory to run code from.
    static var programs: [Attempt] {
        [
            Attempt("program.execute") { _ in execute(SYS_execve, "/bin/true") },
            Attempt("program.executeOwn") { prey in
                let path = prey.cache + "/bait"
                let file = cvr_open(path, O_WRONLY | O_TRUNC, 0)
                write(file, "#!/bin/true\n", 12)
                close(file)
                let errno = call(SYS_chmod, path: path, 0o700)
                return errno == 0 ? execute(SYS_execve, path) : errno
            },
            Attempt("program.executeMemory") { _ in
                let (errno, memory) = "m".withCString { call(SYS_memfd_create, Int(bitPattern: $0)) }
                guard errno == 0 else { return errno }
                write(Int32(memory), "#!/bin/true\n", 12)
                return execute(SYS_execve, "/proc/self/fd/\(memory)")
            },
            Attempt("program.executeAt") { _ in executeAt("/bin/true") },
            Attempt("program.fork") { _ in splits(call(SYS_fork)) },
            Attempt("program.clone") { _ in splits(call(SYS_clone, Int(SIGCHLD))) },
            Attempt("program.executableMemory") { _ in call(SYS_mmap, 0, 4096, 7, 0x22, -1).errno },
            Attempt("program.makeExecutable") { _ in
                let (errno, memory) = call(SYS_mmap, 0, 4096, 3, 0x22, -1)
                return errno == 0 ? call(SYS_mprotect, memory, 4096, 5).errno : errno
            },
            Attempt("program.makeExecutableByKey") { _ in
                let (errno, memory) = call(SYS_mmap, 0, 4096, 3, 0x22, -1)
                return errno == 0 ? call(SYS_pkey_mprotect, memory, 4096, 5, -1).errno : errno
            },
        ]
    }

    private static func execute(_ number: Int32, _ path: String) -> Int32 {
        path.withCString { program in
            let words = [Int(bitPattern: program), 0]
            return words.withUnsafeBytes {
                call(number, Int(bitPattern: program), Int(bitPattern: $0.baseAddress), 0).errno
            }
        }
    }

    private static func executeAt(_ path: String) -> Int32 {
        path.withCString { program in
            let words = [Int(bitPattern: program), 0]
            return words.withUnsafeBytes {
                call(SYS_execveat, -100, Int(bitPattern: program), Int(bitPattern: $0.baseAddress), 0, 0).errno
            }
        }
    }

    /// The second of two processes goes at once.
    private static func splits(_ outcome: (errno: Int32, result: Int)) -> Int32 {
        if outcome.errno == 0, outcome.result == 0 { exit(0) }
        return outcome.errno
    }
}
