import Isolation
import Recording
import Supervision
import Testing

@Suite("Supervision: departure")
struct DepartureTests {
    struct Row: Sendable {
        let status: Isolation.ExitStatus
        var told = false
        var condemned: Departure.Condemnation?
        var outOfMemory = false
        let ending: RestartPolicy.Ending
        let gap: GapReason
        let code: String?
    }

    static let table: [Row] = [
        Row(status: .exited(0), told: true, ending: .killed, gap: .stopped, code: nil),
        Row(status: .unknown, told: true, ending: .killed, gap: .stopped, code: nil),
        Row(status: .exited(74), told: true, ending: .killed, gap: .stopped, code: "stopForced"),
        Row(status: .signalled(9), told: true, ending: .killed, gap: .stopped, code: "stopForced"),
        Row(status: .exited(0), ending: .crashed, gap: .workerCrash, code: "workerStopped"),
        Row(status: .exited(1), ending: .crashed, gap: .workerCrash, code: "workerCrash"),
        Row(status: .exited(64), ending: .refused, gap: .workerCrash, code: "workerRefused"),
        Row(status: .exited(71), ending: .crashed, gap: .workerCrash, code: "memoryLimit"),
        Row(status: .exited(73), ending: .crashed, gap: .workerCrash, code: "leftover"),
        Row(status: .exited(74), ending: .crashed, gap: .diskError, code: "diskError"),
        Row(status: .exited(72), ending: .crashed, gap: .workerCrash, code: "descriptorLimit"),
        Row(status: .exited(75), ending: .killed, gap: .cameraOffline, code: "workerOutdated"),
        Row(status: .exited(78), ending: .refused, gap: .workerCrash, code: "workerRefused"),
        Row(status: .signalled(11), ending: .crashed, gap: .workerCrash, code: "workerCrash"),
        Row(status: .signalled(31), ending: .crashed, gap: .workerCrash, code: "sandboxViolation"),
        Row(status: .signalled(9), ending: .killed, gap: .workerCrash, code: "workerKilled"),
        Row(status: .signalled(9), outOfMemory: true, ending: .crashed, gap: .workerCrash, code: "outOfMemory"),
        Row(status: .signalled(15), ending: .killed, gap: .workerCrash, code: "workerKilled"),
        Row(status: .unknown, ending: .crashed, gap: .workerCrash, code: "workerCrash"),
        Row(status: .unknown, outOfMemory: true, ending: .crashed, gap: .workerCrash, code: "outOfMemory"),
        Row(
            status: .signalled(9), condemned: .hung(.frozen, "x"), ending: .crashed, gap: .workerHang,
            code: "workerFrozen"),
        Row(
            status: .signalled(9), condemned: .hung(.liveLocked, "x"), ending: .crashed, gap: .workerHang,
            code: "workerLiveLocked"),
        Row(
            status: .signalled(9), condemned: .hung(.asleep, "x"), ending: .crashed, gap: .workerHang,
            code: "workerHung"),
        Row(
            status: .signalled(9), condemned: .hung(.writesNothing, "x"), ending: .crashed, gap: .workerHang,
            code: "workerWritesNothing"),
        Row(
            status: .signalled(9), condemned: .garbage("x"), ending: .crashed, gap: .workerCrash, code: "workerGarbage"),
        Row(
            status: .signalled(9), told: true, condemned: .hung(.asleep, "x"), ending: .killed, gap: .stopped,
            code: "stopForced"),
        Row(
            status: .exited(0), condemned: .otherVersion("x"), ending: .killed, gap: .stopped, code: "workerReplaced"),
    ]

    @Test("how a process ended → its next start, its gap, the operator's words", arguments: table)
    func judgement(row: Row) {
        let departure = Departure(
            row.status, of: "cvr-ingest", told: row.told, condemned: row.condemned, outOfMemory: row.outOfMemory)
        #expect(departure.ending == row.ending)
        #expect(departure.gap == row.gap)
        #expect(departure.fault?.code == row.code)
        #expect(departure.fault?.nextStep.isEmpty != true)
        #expect(departure.leftover == (row.status == .exited(73)))
    }
}
