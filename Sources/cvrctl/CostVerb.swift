import ArgumentParser
import Messages

struct CostVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "cost", abstract: "Forecast writes and money, and count what was written.")

    @OptionGroup var global: GlobalOptions

    func perform(_ admin: AdminSession) async throws {
        let cost = try await admin.ask("Cost", as: Admin.Cost.self)
        admin.show(cost) { CostReport(cost: cost).text(for: $0) }
    }
}

/// `cost` in words: for each camera a line a segment length, and its total by storage class.
struct CostReport {
    let cost: Admin.Cost

    func text(for terminal: Terminal) -> String {
        let head = wrapped(
            "A camera's month of 30 days, writes and footage in \(cost.currency), by the prices of \(cost.dated) in "
                + "\(cost.prices):", at: terminal.columns, indent: 0)
        return head + "\n" + table.text(for: terminal) + "\n" + total + unpriced + written
    }

    /// In the order of the price table.
    private var classes: [String] {
        var names: [String] = []
        for forecast in cost.cameras.first?.forecasts ?? [] where !names.contains(forecast.storageClass) {
            names.append(forecast.storageClass)
        }
        return names
    }

    private var table: Table {
        let classes = classes
        var table = Table(
            [
                .init(title: "CAMERA"), .init(title: "RATE", alignsRight: true, dispensability: 1),
                .init(title: "SEGMENT", alignsRight: true), .init(title: "WRITES", alignsRight: true),
            ] + classes.map { .init(title: $0, alignsRight: true) })
        for camera in cost.cameras {
            for length in Set(camera.forecasts.map(\.segmentLength)).sorted() {
                let row = camera.forecasts.filter { $0.segmentLength == length }
                let isConfigured = length == camera.segmentLength
                table.add(
                    [
                        camera.name, Quantity.rate(camera.bitsPerSecond),
                        Quantity.duration(length) + (isConfigured ? "*" : " "),
                        Quantity.decimal(row.first?.writes ?? 0, places: 0),
                    ] + classes.map { money(row, $0) })
            }
        }
        return table
    }

    private func money(_ forecasts: [Admin.Forecast], _ storageClass: String) -> String {
        let known = forecasts.first { $0.storageClass == storageClass }
        return known.map { Quantity.decimal($0.writeCost + $0.storageCost, places: 2) } ?? "–"
    }

    private var total: String {
        let configured = cost.cameras.flatMap { camera in
            camera.forecasts.filter { $0.segmentLength == camera.segmentLength }
        }
        let sums = classes.map { name in
            let price = configured.filter { $0.storageClass == name }.reduce(0) { $0 + $1.writeCost + $1.storageCost }
            return "\(name) \(Quantity.decimal(price, places: 2))"
        }
        let writes = configured.filter { $0.storageClass == classes.first }.reduce(0) { $0 + $1.writes }
        return "* as configured; in all \(Quantity.decimal(writes, places: 0)) writes, \(sums.joined(separator: ", "))."
            + " Footage without a retention grows by as much each month.\n"
    }

    /// What the table does not tell of the store as configured.
    private var unpriced: String {
        let known = Set(cost.cameras.flatMap(\.forecasts).filter { $0.service == cost.service }.map(\.storageClass))
        guard cost.service != "file", !cost.cameras.isEmpty else { return "" }
        if known.isEmpty { return "There is no price for \(Terminal.plain(cost.service)) in \(cost.prices).\n" }
        guard let configured = cost.storageClass, !known.contains(configured) else { return "" }
        return "There is no price for \(Terminal.plain(configured)) in \(cost.prices).\n"
    }

    private var written: String {
        guard let written = cost.written else { return "cvr-sync is away: what was written is not known.\n" }
        return
            "Billed as writes since \(Terminal.plain(written.since)): \(written.segments) for segments, "
            + "\(written.documents) for other objects, \(written.lists ?? 0) lists; \(Quantity.bytes(written.bytes)) "
            + "stored.\n"
    }
}
