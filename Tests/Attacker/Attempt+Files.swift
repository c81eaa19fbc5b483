internal import CAttack
internal import CLinux

extension Attempt {
    /// What a worker's work needs: these have to work shut in as well.
    static var allowed: [Attempt] {
        [
            Attempt("own.read") { open($0.cache + "/bait", O_RDONLY) },
            Attempt("own.write") { open($0.cache + "/bait", O_WRONLY) },
            Attempt("own.create") { open($0.cache + "/made", O_WRONLY | O_CREAT) },
            Attempt("own.list") { list($0.cache) },
            Attempt("own.rename") { call(SYS_rename, path: $0.cache + "/bait", to: $0.cache + "/stolen") },
            Attempt("own.state") { open($0.run + "/made", O_RDWR | O_CREAT) },
            Attempt("own.connect") { attack_tcp(AF_INET, 0, $0.port, 0) },
            Attempt("own.limits") { _ in
                var limit = rlimit()
                return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? 0 : cvr_errno()
            },
            Attempt("own.hosts") { _ in open("/etc/hosts", O_RDONLY) },
            Attempt("own.resolve") { _ in attack_resolve("localhost") },
            Attempt("own.resolveNothing") { _ in
                // By every module of nsswitch.conf, to the name server: whatever it answers, no call may be refused.
                setenv("RES_OPTIONS", "timeout:1 attempts:1", 1)
                _ = attack_resolve("cvr.invalid")
                return 0
            },
        ]
    }

    /// Another camera's footage.
    static var files: [Attempt] {
        [
            Attempt("neighbour.read") { open($0.neighbourCache + "/bait", O_RDONLY) },
            Attempt("neighbour.write") { open($0.neighbourCache + "/bait", O_WRONLY) },
            Attempt("neighbour.create") { open($0.neighbourCache + "/made", O_WRONLY | O_CREAT) },
            Attempt("neighbour.list") { list($0.neighbourCache) },
            Attempt("neighbour.unlink") { call(SYS_unlink, path: $0.neighbourCache + "/bait") },
            Attempt("neighbour.truncate") { call(SYS_truncate, path: $0.neighbourCache + "/bait") },
            Attempt("neighbour.truncateByOpen") { open($0.neighbourCache + "/bait", O_RDONLY | O_TRUNC) },
            Attempt("neighbour.chmod") { call(SYS_chmod, path: $0.neighbourCache + "/bait", 0o666) },
            Attempt("neighbour.touch") { touch($0.neighbourCache) },
            Attempt("neighbour.takeAway") {
                call(SYS_rename, path: $0.neighbourCache + "/bait", to: $0.cache + "/stolen")
            },
            Attempt("neighbour.replace") {
                call(SYS_rename, path: $0.cache + "/bait", to: $0.neighbourCache + "/bait")
            },
            Attempt("neighbour.exchange") { prey in
                (prey.cache + "/bait").withCString { mine in
                    (prey.neighbourCache + "/bait").withCString { theirs in
                        call(SYS_renameat2, -100, Int(bitPattern: mine), -100, Int(bitPattern: theirs), 2).errno
                    }
                }
            },
            Attempt("neighbour.link") { call(SYS_link, path: $0.neighbourCache + "/bait", to: $0.cache + "/link") },
            Attempt("neighbour.makeFolder") { prey in
                let errno = call(SYS_mkdir, path: prey.neighbourCache + "/made.d", 0o700)
                rmdir(prey.neighbourCache + "/made.d")
                return errno
            },
            Attempt("neighbour.state") { open($0.neighbourRun + "/bait", O_RDONLY) },
            Attempt("neighbour.stateReplace") {
                call(SYS_rename, path: $0.neighbourRun + "/bait", to: $0.neighbourRun + "/made")
            },
        ]
    }

    /// Ways around: by a link, a descriptor, `..`, a handle.
    static var escapes: [Attempt] {
        [
            Attempt("escape.symlink") { prey in
                unlink(prey.cache + "/link")
                let errno = call(SYS_symlink, path: prey.neighbourCache + "/bait", to: prey.cache + "/link")
                return errno == 0 ? open(prey.cache + "/link", O_RDONLY) : errno
            },
            Attempt("escape.dotDot") { prey in
                let file = cvr_openat(prey.ownDescriptor, "../\(prey.neighbour)/bait", O_RDONLY, 0)
                return file >= 0 ? 0 : cvr_errno()
            },
            Attempt("escape.chdir") { prey in
                let errno = call(SYS_chdir, path: prey.neighbourCache)
                return errno == 0 ? open("bait", O_RDONLY) : errno
            },
            Attempt("escape.magicLink") { prey in
                let path = cvr_open_path(prey.neighbourCache + "/bait")
                return path >= 0 ? open("/proc/self/fd/\(path)", O_RDONLY) : cvr_errno()
            },
            Attempt("escape.handle") { prey in
                // Names a file without a path; root alone may open what it names.
                var handle = [UInt32](repeating: 0, count: 40)
                handle[0] = 128
                var mount: Int32 = 0
                let named = (prey.neighbourCache + "/bait").withCString { path in
                    handle.withUnsafeMutableBytes { bytes in
                        call(
                            SYS_name_to_handle_at, -100, Int(bitPattern: path), Int(bitPattern: bytes.baseAddress),
                            withUnsafeMutablePointer(to: &mount) { Int(bitPattern: $0) }, 0
                        ).errno
                    }
                }
                guard named == 0 else { return named }
                return handle.withUnsafeMutableBytes {
                    call(SYS_open_by_handle_at, Int(prey.ownDescriptor), Int(bitPattern: $0.baseAddress), 0).errno
                }
            },
            Attempt("escape.chroot") { call(SYS_chroot, path: $0.neighbourCache) },
            Attempt("escape.pipe") { call(SYS_mknod, path: $0.cache + "/pipe", 0o010600) },
            Attempt("escape.device") { call(SYS_mknod, path: $0.cache + "/device", 0o020600, 0x103) },
        ]
    }

    private static func touch(_ folder: String) -> Int32 {
        (folder + "/bait").withCString { call(SYS_utimensat, -100, Int(bitPattern: $0), 0, 0).errno }
    }

    private static func make(in folder: String) -> Int32 {
        let path = "\(folder)/cvr-attack-\(getpid())"
        let errno = open(path, O_RDWR | O_CREAT | O_EXCL)
        unlink(path)
        return errno
    }

    /// The rest of the box.
    static var places: [Attempt] {
        [
            Attempt("place.credential") { open($0.credential, O_RDONLY) },
            Attempt("place.systemdCredential") { open($0.systemdCredential, O_RDONLY) },
            Attempt("place.configuration") { _ in open("/etc/cvr/cvr.yaml", O_RDONLY) },
            Attempt("place.state") { open($0.state + "/bait", O_RDONLY) },
            Attempt("place.stateList") { list($0.state) },
            Attempt("place.store") { list($0.store) },
            Attempt("place.root") { _ in list("/") },
            Attempt("place.passwd") { _ in open("/etc/passwd", O_RDONLY) },
            Attempt("place.shadow") { _ in open("/etc/shadow", O_RDONLY) },
            Attempt("place.library") { _ in open("/usr/bin/env", O_RDONLY) },
            Attempt("place.temporary") { _ in make(in: "/tmp") },
            Attempt("place.sharedMemory") { _ in make(in: "/dev/shm") },
            Attempt("place.sysfs") { _ in open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY) },
            Attempt("place.device") { _ in open("/dev/null", O_RDWR) },
            Attempt("place.terminal") { _ in open("/dev/ptmx", O_WRONLY | O_NOCTTY) },
            Attempt("place.ownMaps") { _ in open("/proc/self/maps", O_RDONLY) },
            Attempt("place.ownMemory") { _ in open("/proc/self/mem", O_WRONLY) },
            Attempt("place.victimMemory") { open("/proc/\($0.victim)/mem", O_WRONLY) },
            Attempt("place.victimEnvironment") { open("/proc/\($0.victim)/environ", O_RDONLY) },
            Attempt("place.victimScore") { open("/proc/\($0.victim)/oom_score_adj", O_WRONLY) },
        ]
    }
}
