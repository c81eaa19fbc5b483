import Foundation
import JSON
import Messages
import TestSupport
import Testing

/// JSON OUTPUT of etc/man/cvrctl.8 against the types that cvrctl prints, which are those that cvrd answers.
@Suite("Documentation: JSON", .timeLimit(.minutes(1)))
struct JSONManualTests {
    /// Of cvrctl itself, which says them in this order.
    struct Words {
        var code = ""
        var message = ""
        var nextStep = ""
    }

    /// What `export` and `play` print, which is cvrctl's own.
    struct Progress {
        var file = ""
        var bytes: Int64 = 0
        var length: Int64 = 0
    }

    struct Exported {
        var file = ""
        var camera = ""
        var from = ""
        var to = ""
        var source = ""
        var bytes: Int64 = 0
        var etag = ""
        var sha256 = ""
        var segments: [ExportContents.Segment] = []
    }

    struct Address { var url = "" }

    /// An event as it is shown: one of a media graph has the second for its detail.
    struct Event {
        var time = ""
        var type = ""
        var camera: String?
        var detail = ""
    }

    struct GraphDetail {
        var topic = ""
        var subject = ""
        var eventTime = ""
        var dataVersion = ""
        var body = JSONValue.null
    }

    static let sync = Admin.Sync(state: "idle")

    static let hold = Listing.Hold(id: "", camera: "", from: "", to: "", reason: "", created: "")

    /// One value for each section: of an array what it holds.
    static let values: [String: any Sendable] = [
        "status": Admin.Status(version: "", uptime: 0, cameras: [], sync: sync),
        "status: playback": Admin.Playback(state: ""),
        "status: gateway": Admin.Gateway(state: ""),
        "status: consumers": Admin.EventReceiver(name: "", state: "", waiting: 0),
        "status: cameras": Admin.Camera(name: "", state: "", since: ""),
        "status: graph": Admin.GraphState(instance: "", topology: "", state: "", gate: nil),
        "status and sync status: lastError": Admin.Fault(code: "", message: "", nextStep: ""),
        "sync status": sync,
        "sync status: store": Admin.StoreCapabilities(putsIfAbsent: true, vouches: true, readsRanges: true),
        "sync now": SyncInterface.PassReport(uploaded: 0, failed: 0),
        "hold add": hold, "hold list": hold,
        "adopt": Listing.Adopted(cameras: []),
        "adopt: cameras": Listing.AdoptedCamera(name: "", session: 0),
        "verify": Listing.Verified(checked: 0, findings: [], omitted: 1, omittedUnrepaired: 1),
        "verify: findings": Listing.Finding(camera: "", key: "", kind: "", repaired: true, detail: ""),
        "cameras": Admin.CameraConfiguration(
            name: "", url: "", username: "", transport: "", segmentLength: 0, retention: nil, asset: "", enabled: true,
            origin: ""),
        "segments": Listing.Segment(
            key: "", session: 0, counter: 0, start: "", duration: 0, bytes: 0, frames: 0, state: "", local: true),
        "gaps": Listing.Gap(from: "", to: nil, reason: "", detail: ""),
        "coverage": Listing.Coverage(from: "", to: "", recorded: 0, percent: 0, spans: []),
        "coverage: spans": Listing.Span(from: "", to: "", kind: "", reason: nil, state: nil),
        "events": Event(), "events: detail": GraphDetail(),
        "graph": GraphReply(status: 200),
        "reload": Admin.Reloaded(added: [], removed: [], changed: []),
        "doctor": Admin.Check("", .ok, ""),
        "upgrade": Admin.UpgradeStep(camera: nil, .kept, ""),
        "cost": Admin.Cost(
            prices: "", dated: "", currency: "", service: "", storageClass: nil, cameras: [], written: nil),
        "cost: cameras": Admin.CameraCost(name: "", bitsPerSecond: 0, segmentLength: 0, retention: nil, forecasts: []),
        "cost: forecasts": Admin.Forecast(
            service: "", storageClass: "", segmentLength: 0, writes: 0, writeCost: 0, storageCost: 0),
        "cost: written": Admin.Written(since: "", segments: 0, documents: 0, bytes: 0, lists: 0),
        "export: progress": Progress(), "export: manifest": Exported(),
        "export: segments": ExportContents.Segment(
            session: 0, counter: 0, start: "", duration: 0, bytes: 0, checksum: nil, key: ""),
        "play: address": Address(),
        "Errors": Words(),
    ]

    /// As the page calls it.
    static func kind(_ type: String) -> String {
        if type.hasPrefix("Optional<") {
            return kind(String(type.dropFirst("Optional<".count).dropLast())) + " or null"
        }
        let simple = ["String": "string", "Int64": "integer", "Double": "number", "Bool": "boolean"]
        return simple[type] ?? (type.hasPrefix("Array<") ? "array" : "object")
    }

    @Test("is documented member by member, with its type, and no other", arguments: values.keys.sorted())
    func members(title: String) throws {
        let value = try #require(Self.values[title])
        let printed = Mirror(reflecting: value).children.map { child in
            "\(child.label ?? "") (\(Self.kind("\(type(of: child.value))")))"
        }
        #expect(try ManualPage("cvrctl.8").section(title, in: "JSON OUTPUT").tags.map(ManualPage.plain) == printed)
    }

    @Test("is documented for every verb whose answer has members, and no other")
    func verbs() throws {
        let sections = try ManualPage("cvrctl.8").sections(from: "JSON OUTPUT", to: "EXIT STATUS").dropFirst()
        #expect(Set(sections.map(\.title)) == Set(Self.values.keys))
        let interface = try String(
            contentsOfFile: Repository.path("Sources/Messages/io.cvr.Admin.varlink"), encoding: .utf8)
        // What cvr-gateway alone asks for no verb prints.
        let verbs = try SourceFiles.below("Sources/cvrctl").map(\.text).joined()
        // `SyncStatus` → `sync status`
        let methods = interface.matches(of: /(?m)^method (\w+)\([^)]*\) -> \((?!\))/).map(\.output.1)
            .filter { verbs.contains("\"\($0)\"") }
            .map { $0.replacing(/\B[A-Z]/) { " \($0.output)" }.lowercased() }
        #expect(Set(methods) == Set(sections.map(\.title).filter { !$0.contains(":") && $0 != "Errors" }))
    }
}
