import Footage
import Foundation
import Messages
import Recording
package import Varlink

/// Answers `io.cvr.Sync`: decodes, calls the service, encodes.
package struct SyncHandler: Sendable {
    private let service: SyncService

    package init(service: SyncService) { self.service = service }

    package func handle(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        do {
            try await answer(call, replies)
        } catch let error as VarlinkFailure {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            throw failure(SyncError(error))
        }
    }

    private func answer(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        switch call.method {
        case "io.cvr.Sync.Configure":
            try await service.configure(SyncSettings(try call.decode(SyncInterface.Configuration.self)))
            try await replies.send(VarlinkEmpty())
        case "io.cvr.Sync.SegmentClosed":
            try await segmentClosed(call, replies)
        case "io.cvr.Sync.Status":
            try await replies.send(try await service.status())
        case "io.cvr.Sync.Outcome":
            try await outcome(call, replies)
        case "io.cvr.Sync.Now":
            try await replies.send(try await service.passNow())
        case "io.cvr.Sync.Pause", "io.cvr.Sync.Resume":
            try await service.pause(call.method == "io.cvr.Sync.Pause")
            try await replies.send(VarlinkEmpty())
        case "io.cvr.Sync.AcceptClock":
            try await service.acceptClock()
            try await replies.send(VarlinkEmpty())
        case "io.cvr.Sync.Written":
            try await replies.send(try await service.written())
        case "io.cvr.Sync.Segments":
            try await segments(call, replies)
        case "io.cvr.Sync.Gaps":
            try await gaps(call, replies)
        case "io.cvr.Sync.Coverage":
            let (answers, from, to) = try await question(call)
            try await replies.send(Listing.Coverage(try await answers.coverage(from: from, to: to)))
        case "io.cvr.Sync.HoldAdd", "io.cvr.Sync.HoldRemove", "io.cvr.Sync.HoldList", "io.cvr.Sync.Adopt",
            "io.cvr.Sync.Verify":
            try await KeepingHandler(service: service).answer(call, replies)
        case "io.cvr.Sync.Events":
            try await events(call, replies)
        case "io.cvr.Sync.Stop":
            try await stop(call, replies)
        default:
            throw VarlinkFailure.methodNotFound(call.method)
        }
    }

    private func segmentClosed(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        let hint = try call.decode(SyncInterface.Hint.self)
        guard let camera = CameraName(hint.camera) else { throw SyncError.argument("camera", hint.camera) }
        await service.segmentClosed(camera)
        try await replies.send(VarlinkEmpty())
    }

    private func outcome(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        let asked = try call.decode(SyncInterface.Sessions.self)
        guard let camera = CameraName(asked.camera) else { throw SyncError.argument("camera", asked.camera) }
        guard asked.from <= asked.through else { throw SyncError.argument("through", "\(asked.through)") }
        try await replies.send(try await service.outcome(camera, of: asked.from...asked.through))
    }

    private func stop(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        let limit = try call.decode(SyncInterface.Stop.self).limit
        let uploaded = await service.lastPass(limit: .seconds(max(0, min(limit, 3600))))
        try await replies.send(SyncInterface.Stopped(uploaded: uploaded))
        await service.finish()
    }

    /// With `more` a page a reply: neither side holds a long listing.
    private func segments(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        let (answers, from, to) = try await question(call)
        var waiting: [Listing.Segment] = []
        try await answers.segments(from: from, to: to) { rows in
            if call.wantsMore, !waiting.isEmpty, !rows.isEmpty {
                try await replies.send(Listing.Segments(segments: waiting), continues: true)
                waiting = []
            }
            waiting += rows.map { Listing.Segment($0) }
        }
        try await replies.send(Listing.Segments(segments: waiting))
    }

    private func gaps(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        let (answers, from, to) = try await question(call)
        var rest = try await answers.gaps(from: from, to: to).map { Listing.Gap($0) }[...]
        while call.wantsMore, rest.count > 500 {
            try await replies.send(Listing.Gaps(gaps: Array(rest.prefix(500))), continues: true)
            rest = rest.dropFirst(500)
        }
        try await replies.send(Listing.Gaps(gaps: Array(rest)))
    }

    private func events(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        guard call.wantsMore else {
            return try await replies.send(Listing.Events(events: service.events.recent))
        }
        let events = service.events.follow()
        // At once: whoever asked knows that it misses nothing from here on.
        try await replies.send(Listing.Events(events: []), continues: true)
        for await event in events {
            try await replies.send(Listing.Events(events: [event]), continues: true)
        }
        try await replies.send(Listing.Events(events: []))
    }

    private func question(_ call: VarlinkCall) async throws -> (Answers, from: WallTime?, to: WallTime?) {
        let query = try call.decode(Listing.Query.self)
        guard let camera = CameraName(query.camera) else {
            throw SyncError(.notFound, "there is no camera of that name", nextStep: "See `cvrctl cameras`")
        }
        let (from, to) = (try WallTime.asked("from", query.from), try WallTime.asked("to", query.to))
        if let from, let to, from > to {
            throw SyncError(.invalidArgument, "--from is later than --to", nextStep: "Give the earlier time as --from")
        }
        return (try await service.answers(camera), from, to)
    }

    private func failure(_ error: SyncError) -> VarlinkFailure {
        let name =
            switch error.code {
            case .invalidArgument: "InvalidArgument"
            case .notFound: "NotFound"
            case .notConfigured: "Unavailable"
            case .storeUnavailable: "StoreUnavailable"
            case .paused, .storeOfAnotherBox, .clockMoved: "Refused"
            case .locked, .noSpace, .wrongDisk, .failed: "Failed"
            }
        return VarlinkFailure(
            name: "\(SyncInterface.interface).\(name)",
            parameters: ["message": error.message, "nextStep": error.nextStep])
    }
}

extension WallTime {
    /// A parameter of that name.
    static func asked(_ name: String, _ text: String?) throws -> WallTime? {
        guard let text else { return nil }
        guard let time = WallTime(rfc3339: text) else {
            throw SyncError(
                .invalidArgument, "\(name) is not a time", nextStep: "Give RFC 3339, such as 2026-11-23T08:00:00Z")
        }
        return time
    }
}
