package import Messages
import Recording
import Varlink
import YAMLConfiguration

extension Supervisor {
    /// The operator's price table, or the one that was installed.
    private static let tables = ["/etc/cvr/prices.yaml", "/usr/share/cvr/prices.yaml"]

    /// Throws a refusal when there are no prices to go by.
    package func cost() async throws -> Admin.Cost {
        let (paths, location) = (box.store.prices.map { [$0] } ?? Self.tables, box.store.location)
        let (path, table) = try await offPool { try Self.prices(paths) }
        let service = location.service
        let forecast = CostForecast(table, service: service)
        let cameras = rows.values.sorted { $0.configuration.name < $1.configuration.name }.map { row in
            forecast.camera(
                row.configuration, bitsPerSecond: row.bitRate.bitsPerSecond ?? row.progress?.bitsPerSecond ?? 0)
        }
        return Admin.Cost(
            prices: path, dated: table.dated, currency: table.currency, service: service,
            storageClass: box.store.storageClass, cameras: cameras, written: await written())
    }

    private func written() async -> Admin.Written? {
        // A cvr-sync that is away: the forecast needs none.
        guard let client = try? await ProcessHome.sync(places).connect() else {
            return nil
        }
        // as above
        let written = try? await client.call(
            "io.cvr.Sync.Written", VarlinkEmpty(), as: Admin.Written.self, timeout: .seconds(5))
        await client.close()
        return written
    }

    private static func prices(_ paths: [String]) throws -> (String, PriceTable) {
        for path in paths {
            let bytes: [UInt8]?
            do throws(FileError) { bytes = try SmallFile.read(path, limit: ConfigurationText.maximumLength) } catch {
                throw ChangeRefusal.failed("the prices cannot be read: \(error)", nextStep: "Correct that")
            }
            guard let bytes else { continue }
            let text = ConfigurationText(file: path, text: String(decoding: bytes, as: UTF8.self))
            do throws(ConfigurationError) { return (path, try PriceTable(text)) } catch {
                throw ChangeRefusal.failed("\(error)", nextStep: "Correct the price table")
            }
        }
        throw ChangeRefusal.notFound(
            "there is no price table at \(paths.joined(separator: " or "))",
            nextStep: "Put one there (the source's etc/prices.yaml), or name it with store.prices")
    }
}
