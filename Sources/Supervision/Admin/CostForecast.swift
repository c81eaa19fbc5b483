package import Messages
package import Recording
package import YAMLConfiguration

/// What recording a camera costs at a store: writes and money in a month of 30 days.
///
/// When nothing fails a segment is one write (I8) and each day of a camera one summary. With a retention a day's summary
/// is written once more when the day expires, and each look for what has expired is a list of holds: billed as a write.
package struct CostForecast: Sendable {
    private static let month = 30 * 86_400.0
    /// LVA's range, from what it was sold with to what costs a tenth of it.
    private static let lengths = [30.0, 60, 120, 300]

    private let table: PriceTable
    private let service: String

    /// `service` is the kind of store in use; for `file:` all that the table knows are shown.
    package init(_ table: PriceTable, service: String) {
        self.table = table
        self.service = service
    }

    package func camera(_ camera: CameraConfiguration, bitsPerSecond: Double) -> Admin.CameraCost {
        let (length, retention) = (camera.segmentLength.seconds, camera.retention)
        let lengths = Set(Self.lengths + [length]).sorted()
        let known = table.prices.filter { $0.service == service }
        return Admin.CameraCost(
            name: camera.name.text, bitsPerSecond: bitsPerSecond, segmentLength: length, retention: retention?.seconds,
            forecasts: (known.isEmpty ? table.prices : known).flatMap { price in
                lengths.map { forecast(price, segmentLength: $0, bitsPerSecond, retention: retention) }
            })
    }

    /// Requests of one camera that are billed as writes, lists among them.
    package static func writes(segmentLength: Double, days: Double, retention: TimeSpan?) -> Double {
        let length = max(segmentLength, 1)
        let segments = days * 86_400 / length
        guard let retention else { return segments + days }
        // Each pass looks whether the pause is over: it ends with a whole number of them.
        let pause = (retention.pause(period: .zero).seconds / length).rounded(.up) * length
        return segments + 2 * days + days * 86_400 / max(pause, length)
    }

    private func forecast(
        _ price: PriceTable.Price, segmentLength: Double, _ bitsPerSecond: Double, retention: TimeSpan?
    ) -> Admin.Forecast {
        let writes = Self.writes(segmentLength: segmentLength, days: 30, retention: retention)
        let kept = max(retention?.seconds ?? Self.month, price.minimumDays * 86_400)
        let bytes = max(bitsPerSecond / 8 * segmentLength, price.minimumBytes) * kept / max(segmentLength, 1)
        return Admin.Forecast(
            service: price.service, storageClass: price.storageClass, segmentLength: segmentLength,
            writes: writes.rounded(), writeCost: writes / 1000 * price.writesPerThousand,
            storageCost: bytes / 1e9 * price.gigabyteMonth)
    }
}
