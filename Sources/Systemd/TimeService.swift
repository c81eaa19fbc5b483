internal import CSystemd

/// What systemd-timedated says of the clock, whichever time service keeps it: it asks the kernel, which a service under
/// `ProtectClock=` may not.
package enum TimeService {
    private static let name = "org.freedesktop.timedate1"
    /// It may have to be started first.
    private static let patience: UInt64 = 10_000_000

    /// Whether the clock is synchronised; nil where nobody answers, since there is no system bus or no timedated.
    ///
    /// Blocks while it waits for the answer.
    package static func isSynchronised() -> Bool? {
        var bus: OpaquePointer?
        guard sd_bus_open_system(&bus) >= 0 else { return nil }
        defer { sd_bus_close_unref(bus) }
        sd_bus_set_method_call_timeout(bus, patience)
        var answer: Int32 = 0
        let boolean = CChar(UInt8(ascii: "b"))
        let asked = sd_bus_get_property_trivial(
            bus, name, "/org/freedesktop/timedate1", name, "NTPSynchronized", nil, boolean, &answer)
        return asked >= 0 ? answer != 0 : nil
    }
}
