internal import FragmentedMP4
internal import Recording
internal import SegmentStore

/// Every way in which a camera or a disk lets us down, as an operator reads it and as a gap records it.
struct Trouble: Hashable, Sendable {
    var fault: Fault
    var reason: GapReason

    init(_ reason: GapReason, _ code: String, _ message: String, _ nextStep: String) {
        self.reason = reason
        fault = Fault(code: code, message: message, nextStep: nextStep)
    }
}

extension Trouble {
    init(_ failure: SourceFailure) { self = Self.told(failure) }

    private static func told(_ failure: SourceFailure) -> Trouble {
        switch failure {
        case .authentication:
            Trouble(
                .authentication, "authentication", "the camera refuses the user name or password",
                "check its user name and password (cvr.yaml or its graph's parameters) against the camera's account")
        case .forbidden:
            Trouble(
                .authentication, "forbidden", "the camera does not let this user have the stream (403)",
                "let the user view it in the camera's account settings; some lock out whoever sent wrong passwords")
        case .notFound:
            Trouble(
                .cameraRefused, "notFound", "the camera has no stream at this path (RTSP 404)",
                "correct the path of the url: the camera shows it among its video or RTSP settings")
        case .refused:
            Trouble(
                .cameraRefused, "refused", "the camera refuses the request (RTSP 4xx)",
                "close other viewers of the camera (453: out of sessions or bandwidth), or try transport: udp")
        case .serverError:
            Trouble(
                .cameraRefused, "cameraError", "the camera fails to serve the stream (RTSP 5xx)",
                "restart the camera; if that does not help, read its log")
        case .connectionRefused:
            Trouble(
                .cameraOffline, "connectionRefused", "nothing listens at the camera's address and port",
                "check host and port of the url, and that RTSP is enabled in the camera")
        case .unreachable:
            Trouble(
                .cameraOffline, "unreachable", "the camera's address cannot be reached",
                "check its power and cable, its address or host name (never one in .local), and its route")
        case .timeout:
            Trouble(
                .cameraOffline, "timeout", "the camera gave no usable answer within 10 s",
                "check its power and network, and that the url names its RTSP port; restart a camera that hangs")
        case .silent:
            Trouble(
                .cameraOffline, "silent", "the camera accepts the connection but sends nothing",
                "restart the camera; with transport: udp, check that the firewall lets RTP in")
        case .disconnected:
            Trouble(
                .cameraOffline, "disconnected", "the camera closed the connection",
                "none: the worker reconnects; if it recurs, check the camera's log and its network")
        case .unsupportedCodec(let names):
            Trouble(
                .unsupportedCodec, "unsupportedCodec", "the camera sends \(names), which cannot be recorded",
                "set its video to H.264 or H.265, its audio to AAC, Opus or G.711")
        case .invalidData:
            Trouble(
                .cameraRefused, "invalidData", "whatever answers is not an RTSP camera",
                "check that the url's port is the camera's RTSP port, usually 554")
        case .unverifiedTLS:
            Trouble(
                .cameraRefused, "unverifiedTLS", "the certificate of an rtsps camera cannot be verified",
                "use rtsp://, or accept the risk with tls: { verify: none }")
        case .invalidURL:
            Trouble(
                .cameraRefused, "invalidURL", "the url is not a valid RTSP URL",
                "write it as rtsp://host[:port]/path, without user name and password")
        case .credentialTooLong:
            Trouble(
                .authentication, "credentialTooLong", "user name and password are too long to be sent",
                "give the camera a password of at most 40 characters")
        case .noTunnel:
            Trouble(
                .cameraOffline, "noTunnel", "nothing answers as a camera that sends RTSP over HTTP",
                "check the url's host and port (its HTTP port, not 554), or try transport: tcp")
        case .redirected(let host):
            Trouble(
                .cameraRefused, "redirected", "the camera redirects its viewers to \(host)",
                "put that host into the url if it is yours; if not, find out who changed the camera")
        case .descriptorLimit:
            Trouble(
                .workerCrash, "descriptorLimit", "the worker reached its limit of open files",
                "none: another worker takes over; if it recurs, report it with the log")
        case .engine(let text):
            Trouble(
                .cameraOffline, "engine", "the connection failed: \(text)",
                "try the url with ffprobe; restart the camera")
        }
    }

    /// The media of a camera that is well cannot be kept.
    init(_ error: SegmentStoreError) {
        self =
            error.isNoSpace
            ? Trouble(.diskFull, "diskFull", "cannot \(error.operation) \(error.path): no space", error.nextStep)
            : error.isDescriptorLimit
                ? Trouble(SourceFailure.descriptorLimit)
                : Trouble(
                    .diskError, "diskError", "cannot \(error.operation) \(error.path): \(error.reason)", error.nextStep)
    }

    init(unusable error: MP4Error) {
        self = Trouble(.unsupportedCodec, "unsupportedCodec", "\(error.operation): \(error.thing)", error.nextStep)
    }

    static func ignored(_ codecs: [String]) -> Trouble {
        Trouble(
            .unsupportedCodec, "unsupportedAudio", "recorded without \(codecs.joined(separator: ", "))",
            "set the camera's audio to AAC, Opus or G.711, or switch it off")
    }

    static func stalled(for patience: TimeSpan) -> Trouble {
        Trouble(
            .networkLoss, "stalled", "no frame for \(patience.microseconds / 1_000_000) s",
            "check the network to the camera; the worker reconnects after 10 s")
    }

    static func diskStalled(for wait: TimeSpan) -> Trouble {
        Trouble(
            .diskError, "diskStalled", "the disk did not answer for \(wait.microseconds / 1_000_000) s",
            "check the disk (dmesg, smartctl) and what else writes to it")
    }

    static let preRollLost = Trouble(
        .diskError, "preRollLost", "the disk was too slow to record what came before an event",
        "check the disk (dmesg, smartctl) and what else writes to it, or lower the camera's bit rate")

    static func preRollTooShort(reach: TimeSpan) -> Trouble {
        Trouble(
            .preRollTooShort, "preRollTooShort",
            "there is no room for the \(reach.microseconds / 1_000_000) s before an event",
            "free space on the cache's disk, raise localMediaCacheMaximumSizeMiB, or lower the camera's bit rate")
    }

    static let noKeyframe = Trouble(
        .cameraRefused, "noKeyframe", "the camera sends video without a keyframe that can be decoded",
        "set its keyframe interval (GOP, I-frame interval) to 1 to 10 s; switch smart codecs off")

    static let unsettledFormat = Trouble(
        .formatChange, "unsettledFormat",
        "the camera changed its format more than \(FormatWatch.mostChanges) times in a minute",
        "set one resolution and profile in the camera; recording resumes once one has held for 10 s")

    static func timestampJump(_ what: String) -> Trouble {
        Trouble(
            .networkLoss, "timestampJump", "the camera's timestamps are wrong: \(what)",
            "check the camera's clock and NTP server, and its firmware")
    }

    static let timestampsAhead = timestampJump("they run ahead of time")
}
