import Foundation
import Messages
import Recording
import Supervision
import TestSupport
import Testing
import YAMLConfiguration

/// etc/prices.yaml as it ships, against the arithmetic of a bill.
@Suite("Supervision: cost")
struct CostForecastTests {
    static func table() throws -> PriceTable {
        let path = Repository.path("etc/prices.yaml")
        return try PriceTable(
            ConfigurationText(file: "prices.yaml", text: try String(contentsOfFile: path, encoding: .utf8)))
    }

    static func camera(_ more: String = "") throws -> CameraConfiguration {
        let text = """
            store: { url: file:///s }
            cameras: { front: { url: rtsp://h/, segmentLength: PT30S\(more) } }
            """
        let box = try BoxConfiguration(main: ConfigurationText(file: "cvr.yaml", text: text), hostName: "h") { _ in
            ([:], [])
        }
        return try #require(box.cameras.values.first)
    }

    @Test("a month of 4 Mbit/s: writes by length, money by class, ten times fewer writes at 5 min than at 30 s")
    func month() throws {
        let cost = CostForecast(try Self.table(), service: "s3").camera(try Self.camera(), bitsPerSecond: 4_000_000)
        let standard = cost.forecasts.filter { $0.storageClass == "STANDARD" }
        #expect(standard.map(\.segmentLength) == [30, 60, 120, 300])
        #expect(standard.map(\.writes) == [86_430, 43_230, 21_630, 8_670])
        let first = try #require(standard.first)
        #expect(abs(first.writeCost - 0.43) < 0.005 && abs(first.storageCost - 29.81) < 0.005)
        #expect(Set(cost.forecasts.map(\.service)) == ["s3"])
        let glacier = try #require(cost.forecasts.first { $0.storageClass == "GLACIER_IR" })
        // A month's footage, paid for three.
        #expect(abs(glacier.storageCost - 3 * 5.184) < 0.01 && abs(glacier.writeCost - 1.73) < 0.005)
    }

    @Test("a retention keeps less, but a class's minimum is paid for; small objects as if they were larger")
    func minima() throws {
        let forecast = CostForecast(try Self.table(), service: "azblob")
        let week = forecast.camera(try Self.camera(", retention: P7D"), bitsPerSecond: 4_000_000)
        let (hot, cold) = (week.forecasts.first, week.forecasts.last)
        #expect(hot?.storageClass == "Hot" && hot?.writes == 87_180)
        #expect(abs((hot?.storageCost ?? 0) - 302.4 * 0.0208) < 0.01)
        #expect(cold?.storageClass == "Cold" && abs((cold?.storageCost ?? 0) - 3888 * 0.0036) < 0.01)
        let audio = CostForecast(try Self.table(), service: "s3").camera(try Self.camera(), bitsPerSecond: 8000)
        let infrequent = try #require(audio.forecasts.first { $0.storageClass == "STANDARD_IA" })
        #expect(abs(infrequent.storageCost - 86_400 * 131_072 / 1e9 * 0.0125) < 1e-6)
    }

    @Test("a file: store shows the prices of all services, so that one can be chosen")
    func file() throws {
        let cost = CostForecast(try Self.table(), service: "file").camera(try Self.camera(), bitsPerSecond: 1)
        #expect(Set(cost.forecasts.map(\.service)) == ["s3", "azblob"])
    }

    @Test(
        "a table with mistakes names each, with its line",
        arguments: [
            ("dated: 2026-01-01\n", "prices.yaml:1: currency: is missing; add currency: USD"),
            (
                "dated: a\ncurrency: b\ns3: { STANDARD: { gigabyteMonth: 1, writesPerThousand: cheap } }\n",
                "prices.yaml:3: s3.STANDARD.writesPerThousand: not a number such as 0.023"
            ),
            (
                "dated: a\ncurrency: b\naws: {}\n", "prices.yaml:3: aws: unknown key; did you mean s3?"
            ),
        ])
    func mistakes(text: String, mistake: String) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try PriceTable(ConfigurationText(file: "prices.yaml", text: text))
        }
        #expect(error?.description == mistake)
    }
}
