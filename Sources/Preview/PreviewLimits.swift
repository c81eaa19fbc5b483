internal import CLinux

/// What one job may have of the machine: whatever its bytes do to the decoders, recording goes on (I1, I9).
enum PreviewLimits {
    /// Read from descriptor 0: far above any fragment, and minutes of a camera with sound.
    static let largestJob = 64 << 20
    /// Of libav's, at once: an uncompressed picture of the largest size in 10 bit.
    static let largestAllocation = 256 << 20
    /// The largest picture that is decoded: 8192 x 4352.
    static let mostPixels: Int64 = 8192 * 4352
    /// The longest sound, silence where some is missing included, in seconds.
    static let longestSound = 900

    /// All there is for its buffers.
    private static let mostData: rlim_t = 512 << 20
    /// A 4K keyframe takes half a second of a small box's processor.
    private static let mostSecondsOfPicture: rlim_t = 3
    /// For minutes of sound.
    private static let mostSeconds: rlim_t = 15
    /// From start to end, in seconds: whoever feeds us slowly is no reason to stay, and nobody ends us, since
    /// cvr-playback may signal nobody.
    static let mostWaiting: UInt32 = 40

    /// `seconds`: from start to end, `mostWaiting` at most.
    static func apply(seconds: UInt32) {
        limit(RLIMIT_CORE, to: 0)
        limit(RLIMIT_DATA, to: mostData)
        // The first, as SIGXCPU, ends us unless the job is one for more; at the second the kernel does (setrlimit(2)).
        limit(RLIMIT_CPU, to: mostSeconds, warning: mostSecondsOfPicture)
        // Should descriptor 1 be a file.
        limit(RLIMIT_FSIZE, to: rlim_t(largestJob))
        // The sandbox's own rules are read by then; nothing is opened later.
        limit(RLIMIT_NOFILE, to: 16)
        limit(__RLIMIT_NPROC, to: 1)
        limit(__RLIMIT_MEMLOCK, to: 0)
        // Recording has the processor first.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        // SIGALRM ends us, wherever we are.
        alarm(min(max(seconds, 1), mostWaiting))
    }

    /// The job is one that takes longer than a picture.
    static func allowMore() { cvr_ignore_signal(SIGXCPU) }

    private static func limit(_ resource: __rlimit_resource, to most: rlim_t, warning: rlim_t? = nil) {
        var now = rlimit()
        let resource = __rlimit_resource_t(resource.rawValue)
        // A lower hard limit stays: to raise it takes a privilege.
        if getrlimit(resource, &now) == 0, now.rlim_max < most { return }
        var new = rlimit(rlim_cur: warning ?? most, rlim_max: most)
        setrlimit(resource, &new)
    }
}
