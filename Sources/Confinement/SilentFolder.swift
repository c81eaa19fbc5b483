internal import CLinux

/// A folder on a dead disk or server, which never returns who asks after it.
///
/// So a fork asks, which runs no other program and ends when it is answered: it alone is held. For a process that has
/// one thread, and holds no lock yet.
package enum SilentFolder {
    /// Who was only slow costs no more than a new start.
    package static let patience: Int32 = 5000

    /// True when `look` takes longer than `milliseconds`; what it does is done when the folder answers.
    package static func holds(_ look: () -> Void, longerThan milliseconds: Int32 = patience) -> Bool {
        var ends: [Int32] = [-1, -1]
        // Without a fork there is no way to know: as if it answered.
        guard pipe(&ends) == 0 else { return false }
        let asker = cvr_fork()
        if asker == 0 {
            // Nobody waits for it any more once its parent is gone.
            cvr_die_with_parent()
            look()
            _exit(0)
        }
        // Its end, in which it writes nothing, closes with it.
        close(ends[1])
        defer { close(ends[0]) }
        guard asker > 0 else { return false }
        var watched = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
        var answered = poll(&watched, 1, milliseconds)
        while answered < 0, cvr_errno() == EINTR { answered = poll(&watched, 1, milliseconds) }
        waitpid(asker, nil, answered == 0 ? WNOHANG : 0)
        return answered == 0
    }
}
