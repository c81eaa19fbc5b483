import Messages
package import Recording
import Systemd
import YAMLConfiguration

/// What systemd wants to know of the table of workers.
extension Supervisor {
    /// Returns what the status is.
    func becomeReady() -> String {
        let status = statusLine
        // Its last words are those of the stop.
        guard !isStopping else { return status }
        isReady = true
        surroundings.systemd.tell(.ready, .status(status))
        return status
    }

    /// Returns what the status is now, which is told when it differs.
    func tellStatus(after last: String) -> String {
        let status = statusLine
        if status != last, !isStopping { surroundings.systemd.tell(.status(status)) }
        return status
    }

    private var statusLine: String {
        let states = rows.values.map { ($0.configuration.name, $0.currentState) }
        return StatusLine(states, sync: syncSummary.state, lag: syncSummary.lag).text
    }

    /// Returns when every keeper has worked through what lay in its inbox.
    ///
    /// One that still looks what runs is passed over: it may wait for a disk, and says so itself.
    func pulse() async {
        for row in rows.values where row.kept != nil { await row.keeper.pulse() }
        await sync?.keeper.pulse()
        await playback?.keeper.pulse()
        await gateway?.keeper.pulse()
    }

    /// Ends `allTried` once each camera was taken over, started, held back or refused; none has to answer.
    func noteTries() {
        if isPopulated, rows.values.allSatisfy(\.isTried) { stopWaiting() }
    }

    nonisolated func stopWaiting() { tried.finish() }
}

extension CameraRow {
    /// Its keeper has looked what runs and tried to start what does not.
    var isTried: Bool {
        guard let kept else { return false }
        return switch kept.phase {
        case .running, .stopping: kept.pid != nil
        case .stopped: !configuration.enabled
        case .waiting, .refused: true
        }
    }
}

/// How a box is, in the one line that `systemctl status` shows.
package struct StatusLine: Hashable, Sendable {
    package let text: String

    package init(_ cameras: [(name: CameraName, state: CameraState)], sync: String, lag: Double) {
        let head = cameras.count == 1 ? "1 camera" : "\(cameras.count) cameras"
        let order: [CameraState] = [.recording] + CameraState.allCases.filter { $0 != .recording }
        let groups = order.compactMap { state -> String? in
            let names = cameras.filter { $0.state == state }.map(\.name.text).sorted()
            guard !names.isEmpty else { return nil }
            return "\(names.count) \(state.rawValue)" + (state == .recording ? "" : " (\(Self.list(names)))")
        }
        let states = groups.isEmpty ? head : "\(head): \(groups.joined(separator: ", "))"
        text = "\(states); sync \(sync)" + (Self.rounded(lag).map { ", lag \($0)" } ?? "")
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(4).joined(separator: ", ")
        return names.count > 4 ? "\(shown) and \(names.count - 4) more" : shown
    }

    /// In steps, so that a lag that only grows is not news each second.
    private static func rounded(_ lag: Double) -> String? {
        switch lag {
        case 10..<120: "\(Int(lag / 10) * 10) s"
        case 120..<7200: "\(Int(lag / 60)) min"
        case 7200..<1e9: "\(Int(lag / 3600)) h"
        default: nil
        }
    }
}
