internal import CLinux

/// Whom the kernel takes first when the machine is out of memory: added to the score that cvrd was started with.
///
/// Of 1000, which is all of the machine's memory. cvr-playback goes first, since it costs no footage, then cvr-gateway, then cvr-sync, whose
/// pause costs no frame, and a worker before cvrd.
package enum OutOfMemoryRank: Int, Sendable {
    case worker = 300
    case sync = 400
    case playback = 500
    case gateway = 450

    /// For this process; one may make itself a likelier victim than it was started as, never a less likely one.
    package func take() {
        let descriptor = cvr_open("/proc/self/oom_score_adj", O_RDWR, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var text = [UInt8](repeating: 0, count: 16)
        let count = read(descriptor, &text, text.count)
        let digits = String(decoding: text.prefix(max(count, 0)), as: UTF8.self).prefix { $0 == "-" || $0.isNumber }
        let new = Array("\(min((Int(digits) ?? 0) + rawValue, 1000))".utf8)
        write(descriptor, new, new.count)
    }
}
