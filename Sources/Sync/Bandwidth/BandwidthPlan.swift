import Messages
package import Recording

/// `store.bandwidth`: what may be sent to the store, at which hours and over which links.
package struct BandwidthPlan: Hashable, Sendable {
    /// What may be sent now.
    package struct Allowance: Hashable, Sendable {
        /// Nil is unlimited; zero sends nothing, and asks for nothing either.
        package var bitsPerSecond: Int64?
        /// The backlog waits.
        package var isLiveOnly: Bool

        package static let everything = Allowance(bitsPerSecond: nil, isLiveOnly: false)

        package init(bitsPerSecond: Int64?, isLiveOnly: Bool) {
            self.bitsPerSecond = bitsPerSecond
            self.isLiveOnly = isLiveOnly
        }

        package var isPause: Bool { bitsPerSecond == 0 }
        var bytesPerSecond: Double? { bitsPerSecond.map { Double($0) / 8 } }

        /// As much as both of them permit.
        func narrowed(by other: Allowance) -> Allowance {
            let limits = [bitsPerSecond, other.bitsPerSecond].compactMap(\.self)
            return Allowance(bitsPerSecond: limits.min(), isLiveOnly: isLiveOnly || other.isLiveOnly)
        }
    }

    /// Hours of the week, in the box's local time; those that end before they begin end on the next day.
    package struct Window: Hashable, Sendable {
        /// 0 is Monday.
        package var days: Set<Int>
        /// Minutes of the day, the end excluded.
        package var from: Int
        package var to: Int
        package var allowance: Allowance

        package init(days: Set<Int>, from: Int, to: Int, allowance: Allowance) {
            self.days = days
            self.from = from
            self.to = to
            self.allowance = allowance
        }

        func contains(minuteOfWeek minute: Int) -> Bool {
            let length = to > from ? to - from : to - from + minutesPerDay
            return days.contains { day in
                let since = minute - (day * minutesPerDay + from)
                return (since < 0 ? since + 7 * minutesPerDay : since) < length
            }
        }
    }

    /// Links that cost by the byte.
    package struct Metered: Hashable, Sendable {
        package var interfaces: Set<String>
        package var allowance: Allowance

        package init(interfaces: Set<String>, allowance: Allowance) {
            self.interfaces = interfaces
            self.allowance = allowance
        }
    }

    package var usual: Allowance
    /// The first that contains a moment replaces what is usual.
    package var schedule: [Window]
    package var metered: Metered?

    package init(usual: Allowance = .everything, schedule: [Window] = [], metered: Metered? = nil) {
        self.usual = usual
        self.schedule = schedule
        self.metered = metered
    }

    /// What may be sent at `local`, the time on a clock of the box's zone, over the links that lead out of it now.
    package func allowance(at local: WallTime, over interfaces: Set<String>) -> Allowance {
        // 1970 began on a Thursday.
        let minutes = floorModulo(local.microseconds, 7 * 86_400_000_000) / 60_000_000
        let minuteOfWeek = Int(floorModulo(minutes + 3 * Int64(minutesPerDay), 7 * Int64(minutesPerDay)))
        let ruling = schedule.first { $0.contains(minuteOfWeek: minuteOfWeek) }?.allowance ?? usual
        guard let metered, !metered.interfaces.isDisjoint(with: interfaces) else { return ruling }
        return ruling.narrowed(by: metered.allowance)
    }
}

private let minutesPerDay = 1440

extension BandwidthPlan {
    init(_ message: SyncInterface.Bandwidth) throws(SyncError) {
        self.init(usual: Allowance(bitsPerSecond: message.limit, isLiveOnly: false))
        for window in message.schedule {
            let minutes = 0...Int64(minutesPerDay)
            guard minutes.contains(window.from), minutes.contains(window.to),
                window.days.allSatisfy({ (0..<7).contains($0) })
            else { throw .argument("bandwidth", "\(window.days) \(window.from)-\(window.to)") }
            schedule.append(
                Window(
                    days: Set(window.days.map { Int($0) }), from: Int(window.from), to: Int(window.to),
                    allowance: Allowance(bitsPerSecond: window.limit, isLiveOnly: window.liveOnly)))
        }
        if let link = message.metered {
            let allowance = Allowance(bitsPerSecond: link.limit, isLiveOnly: link.liveOnly)
            metered = Metered(interfaces: Set(link.interfaces), allowance: allowance)
        }
    }
}
