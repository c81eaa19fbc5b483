import Systemd
import Testing

@Suite("Systemd: what it is told")
struct NotifySocketTests {
    @Test("is one assignment a line, as sd_notify(3) wants it")
    func text() {
        let status = NotifySocket.text([.ready, .status("2 cameras:\n2 recording")], at: 0)
        #expect(status == "READY=1\nSTATUS=2 cameras: 2 recording")
        #expect(NotifySocket.text([.reloading], at: 1_234_567) == "RELOADING=1\nMONOTONIC_USEC=1234567")
        let stopping = NotifySocket.text([.stopping, .needs(.seconds(20))], at: 0)
        #expect(stopping == "STOPPING=1\nEXTEND_TIMEOUT_USEC=20000000")
        #expect(NotifySocket.text([.alive], at: 0) == "WATCHDOG=1")
    }
}
