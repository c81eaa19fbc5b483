package import Configuration
package import Messages
import Recording

/// What recording a camera costs at a store: writes and money in a month of 30 days.
///
/// When nothing fails a segment is one write (I8) and each day of a camera one summary; with a retention one more, since
/// each day is changed once more when it expires.
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
        let (length, retention) = (camera.segmentLength.seconds, camera.retention?.seconds)
        let lengths = Set(Self.lengths + [length]).sorted()
        let known = table.prices.filter { $0.service == service }
        return Admin.CameraCost(
            name: camera.name.text, bitsPerSecond: bitsPerSecond, segmentLength: length, retention: retention,
            forecasts: (known.isEmpty ? table.prices : known).flatMap { price in
                lengths.map { forecast(price, segmentLength: $0, bitsPerSecond, retention: retention) }
            })
    }

    package static func writes(segmentLength: Double, days: Double, hasRetention: Bool) -> Double {
        days * 86_400 / max(segmentLength, 1) + days * (hasRetention ? 2 : 1)
    }

    private func forecast(
        _ price: PriceTable.Price, segmentLength: Double, _ bitsPerSecond: Double, retention: Double?
    ) -> Admin.Forecast {
        let writes = Self.writes(segmentLength: segmentLength, days: 30, hasRetention: retention != nil)
        let kept = max(retention ?? Self.month, price.minimumDays * 86_400)
        let bytes = max(bitsPerSecond / 8 * segmentLength, price.minimumBytes) * kept / max(segmentLength, 1)
        return Admin.Forecast(
            service: price.service, storageClass: price.storageClass, segmentLength: segmentLength,
            writes: writes.rounded(), writeCost: writes / 1000 * price.writesPerThousand,
            storageCost: bytes / 1e9 * price.gigabyteMonth)
    }
}
