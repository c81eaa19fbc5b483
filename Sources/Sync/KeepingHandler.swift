import Footage
import Messages
import Recording
import Varlink

/// Answers what `io.cvr.Sync` asks of the store on an operator's behalf.
struct KeepingHandler: Sendable {
    private static let noSuchCamera = SyncError(
        .notFound, "there is no camera of that name", nextStep: "See `cvrctl cameras`")

    let service: SyncService

    func answer(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        switch call.method {
        case "io.cvr.Sync.HoldAdd":
            let hold = try await add(try call.decode(Listing.HoldRequest.self))
            try await replies.send(Listing.AddedHold(hold: hold))
        case "io.cvr.Sync.HoldRemove":
            try await service.removeHold(try call.decode(Listing.HoldID.self).id)
            try await replies.send(VarlinkEmpty())
        case "io.cvr.Sync.HoldList":
            let camera = try camera(try call.decode(Listing.HoldQuery.self).camera)
            try await replies.send(Listing.Holds(holds: try await service.listHolds(camera)))
        case "io.cvr.Sync.Adopt":
            try await replies.send(Listing.Adopted(cameras: try await service.adopt()))
        default:
            try await verify(call, replies)
        }
    }

    private func add(_ request: Listing.HoldRequest) async throws -> Listing.Hold {
        guard let camera = try camera(request.camera) else { throw Self.noSuchCamera }
        guard let from = try WallTime.asked("from", request.from), let to = try WallTime.asked("to", request.to) else {
            throw SyncError.argument("from or to", "null")
        }
        return try await service.addHold(camera, from: from, to: to, reason: request.reason ?? "")
    }

    /// With `more` each step as it is done, else all in one; a client that goes away ends it.
    private func verify(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        let request = try call.decode(Listing.VerifyRequest.self)
        let camera = try camera(request.camera)
        let steps = VerifySteps()
        try await withThrowingTaskGroup { group in
            defer {
                steps.leave()
                group.cancelAll()
            }
            group.addTask {
                await steps.run { limit, tell in
                    try await service.verify(camera, isDeep: request.deep ?? false, limit: limit, tell)
                }
            }
            var total = Listing.Verified(checked: 0, findings: [])
            for try await step in steps.stream {
                if call.wantsMore { try await replies.send(step, continues: true) } else { total += step }
                steps.took()
            }
            try await replies.send(total)
        }
    }

    private func camera(_ text: String?) throws -> CameraName? {
        guard let text else { return nil }
        guard let camera = CameraName(text) else { throw Self.noSuchCamera }
        return camera
    }
}
