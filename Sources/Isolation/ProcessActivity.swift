/// What a process is doing, as the kernel sees it at one moment.
package struct ProcessActivity: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        /// On a processor, or waiting for its turn.
        case running
        case sleeping
        /// In an uninterruptible system call: a disk that does not answer. No signal reaches it there, SIGKILL included.
        case waitingForDisk
        /// By SIGSTOP or a debugger.
        case stopped
    }

    package var state: State
    /// Used since it started, in user and in kernel mode.
    package var processorTime: Duration

    package init(state: State, processorTime: Duration) {
        self.state = state
        self.processorTime = processorTime
    }
}

extension ProcessActivity.State {
    /// Field 3 of `/proc/<pid>/stat`.
    init(letter: Substring) {
        self =
            switch letter {
            case "R": .running
            case "D": .waitingForDisk
            case "T", "t": .stopped
            default: .sleeping
            }
    }
}
