/// `store.bandwidth`: what may be sent to the store, at which hours and over which links.
package struct BandwidthConfiguration: Hashable, Sendable {
    /// What is uploaded.
    package enum Lanes: String, Sendable, CaseIterable {
        /// What closed within the last two periods; what waited longer goes on waiting.
        case live
        case all
    }

    package enum Day: String, Sendable, CaseIterable {
        case mon, tue, wed, thu, fri, sat, sun
    }

    /// Bits a second; nil is unlimited, 0 is nothing.
    package struct Limit: Hashable, Sendable {
        package var bitsPerSecond: Int64?
    }

    /// Hours of the week in local time; those that end before they begin end on the next day.
    package struct Window: Hashable, Sendable {
        package var days: [Day]
        /// Minutes of the day; up to 1440, the day's end.
        package var from: Int
        package var to: Int
        package var limit: Limit
        package var lanes: Lanes
    }

    package struct Metered: Hashable, Sendable {
        package var interfaces: [String]
        package var limit: Limit
        package var lanes: Lanes
    }

    package var limit = Limit()
    package var schedule: [Window] = []
    package var metered: Metered?
}

extension BandwidthConfiguration {
    init(_ section: Section) {
        limit = section.value("limit", Values.limit) ?? Limit()
        let usual = limit
        schedule = section.sections("schedule", schema: "store.bandwidth.schedule").map { Window($0, usual: usual) }
        let link = section.section("metered", schema: "store.bandwidth.metered")
        guard link.isPresent else { return }
        if !link.has("interfaces") { link.report(nil, "names no link; add interfaces: [wwan0]") }
        metered = Metered(
            interfaces: link.values("interfaces", Values.interface) ?? [],
            limit: link.value("limit", Values.limit) ?? Limit(),
            lanes: link.value("lanes", Values.choice(Lanes.self)) ?? .all)
    }
}

extension BandwidthConfiguration.Window {
    /// Every day, all day and as `usual` where it says nothing else.
    fileprivate init(_ section: Section, usual: BandwidthConfiguration.Limit) {
        self.init(
            days: section.values("days", Values.choice(BandwidthConfiguration.Day.self))
                ?? BandwidthConfiguration.Day.allCases,
            from: section.value("from", Values.minuteOfDay) ?? 0, to: section.value("to", Values.minuteOfDay) ?? 1440,
            limit: section.value("limit", Values.limit) ?? usual,
            lanes: section.value("lanes", Values.choice(BandwidthConfiguration.Lanes.self)) ?? .all)
        guard from == to || from == 1440 else { return }
        section.report("from", "begins and ends at the same time; nothing is in between")
    }
}

extension Values {
    /// `20Mbps`, `500kbps`, `1.5Gbps`; `none` is unlimited, `0` nothing.
    static func limit(_ text: String) throws(BadValue) -> BandwidthConfiguration.Limit {
        if text == "none" { return BandwidthConfiguration.Limit(bitsPerSecond: nil) }
        if text == "0" { return BandwidthConfiguration.Limit(bitsPerSecond: 0) }
        let units = [("kbps", 1e3), ("Mbps", 1e6), ("Gbps", 1e9)]
        guard let (unit, scale) = units.first(where: { text.lowercased().hasSuffix($0.0.lowercased()) }),
            let number = Double(text.dropLast(unit.count)), (0...1e6).contains(number)
        else { throw BadValue("not a rate such as 20Mbps or 500kbps, 0 or none") }
        return BandwidthConfiguration.Limit(bitsPerSecond: Int64((number * scale).rounded()))
    }

    /// `08:00`; `24:00` is the day's end.
    static func minuteOfDay(_ text: String) throws(BadValue) -> Int {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hour = Int(parts[0]),
            let minute = Int(parts[1]), (0..<60).contains(minute), hour >= 0, hour * 60 + minute <= 1440
        else { throw BadValue("not a time of day between 00:00 and 24:00, such as 08:00") }
        return hour * 60 + minute
    }

    /// IFNAMSIZ - 1, as the kernel takes it.
    static func interface(_ text: String) throws(BadValue) -> String {
        guard (1...15).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x2F }) else {
            throw BadValue("not the name of a network interface such as wwan0")
        }
        return text
    }
}
