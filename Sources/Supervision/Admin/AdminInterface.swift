import FoundationEssentials
import MediaGraph
import Messages
import Recording
package import Varlink

/// Answers `io.cvr.Admin` (Sources/Messages/io.cvr.Admin.varlink).
///
/// Questions about footage are cvr-sync's: they go through unread and never touch the table of workers.
package struct AdminInterface: Sendable {
    private let supervisor: Supervisor

    package init(_ supervisor: Supervisor) { self.supervisor = supervisor }

    @Sendable package func answer(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        do {
            // Children run as our user: a captured worker would else stop its neighbours (I1).
            guard await !supervisor.keeps(call.peer.pid) else {
                throw ChangeRefusal.refused(
                    "cvrd's own processes may not use its admin socket", nextStep: "Ask from another process")
            }
            switch call.name {
            case "Status": try await replies.send(await supervisor.status())
            case "Cameras": try await replies.send(await supervisor.cameras())
            case "SyncStatus": try await replies.send(Admin.SyncReport(sync: await supervisor.syncSummary))
            case "Cost": try await replies.send(await supervisor.cost())
            case "Events": try await sendEvents(call, replies)
            case "GraphEvents", "AcknowledgeGraphEvents":
                try await GraphEventAnswers(supervisor.spool).answer(call, replies)
            case "Doctor": try await sendChecks(call, replies)
            case "Upgrade": try await sendUpgrade(call, replies)
            case "Reload": try await replies.send(try await supervisor.change(.reload))
            case "AddCamera", "RemoveCamera", "StartCamera", "StopCamera", "RestartCamera":
                try await changeCamera(call)
                try await replies.send(VarlinkEmpty())
            case "Graph": try await sendGraph(call, replies)
            case "SendMessage":
                try await replies.send(try await supervisor.send(try call.decode(Admin.InputMessage.self)))
            case "Segments", "Gaps", "Coverage":
                let query = try call.decode(Listing.Query.self)
                try await passThrough("io.cvr.Sync.\(call.name)", query, call, replies)
            case "HoldAdd", "HoldRemove", "HoldList", "Verify", "Adopt": try await keep(call, replies)
            case "AcceptClock": try await passThrough("io.cvr.Sync.AcceptClock", VarlinkEmpty(), call, replies)
            case "SyncNow", "SyncPause", "SyncResume":
                try await passThrough("io.cvr.Sync.\(call.name.dropFirst(4))", VarlinkEmpty(), call, replies)
            default: throw VarlinkFailure.methodNotFound(call.method)
            }
        } catch let refusal as ChangeRefusal {
            throw Self.failure(refusal)
        }
    }

    /// A listing may be large: its text is there already.
    private func sendGraph(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        let reply = await supervisor.graph(try call.decode(Admin.GraphCall.self))
        try await replies.sendRaw(Data(reply.wholeText.utf8))
    }

    private func changeCamera(_ call: VarlinkCall) async throws {
        if call.name == "AddCamera" {
            _ = try await supervisor.change(.add(try call.decode(Admin.AddCamera.self)))
            return
        }
        let text = try call.decode(Admin.NamedCamera.self).name
        guard let name = CameraName(text) else {
            throw ChangeRefusal.notFound("there is no camera of that name", nextStep: "See `cvrctl cameras`")
        }
        switch call.name {
        case "RemoveCamera": _ = try await supervisor.change(.remove(name))
        case "StartCamera": _ = try await supervisor.change(.enable(name, true))
        case "StopCamera": _ = try await supervisor.change(.enable(name, false))
        default: try await supervisor.restart(name)
        }
    }

    /// With `more` each finding as it is made; the last reply then only says that it was the last.
    private func sendChecks(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        var checks: [Admin.Check] = []
        try await supervisor.examine { check in
            if call.wantsMore {
                try await replies.send(Admin.Checks(checks: [check]), continues: true)
            } else {
                checks.append(check)
            }
        }
        try await replies.send(Admin.Checks(checks: checks))
    }

    /// Its steps as they are done; the one without a camera is the last.
    private func sendUpgrade(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        for try await step in try await supervisor.upgrade() {
            if step.camera == nil { return try await replies.send(step) }
            if call.wantsMore { try await replies.send(step, continues: true) }
        }
        throw ChangeRefusal.failed("cvrd is stopping", nextStep: "Start it again")
    }

    /// The recent events; with `more`, each later one until the client goes away or falls behind.
    private func sendEvents(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        guard call.wantsMore else {
            return try await replies.send(Listing.Events(events: supervisor.events.recent))
        }
        let (recent, later) = supervisor.events.follow()
        try await replies.send(Listing.Events(events: recent), continues: true)
        for await event in later { try await replies.send(Listing.Events(events: [event]), continues: true) }
        try Task.checkCancellation()
        throw ChangeRefusal.failed(
            "events come faster than this client reads them", nextStep: "Start again; recent events are kept")
    }

    private func keep(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        switch call.name {
        case "HoldAdd": try await passThrough(call, replies, as: Listing.HoldRequest.self)
        case "HoldRemove": try await passThrough(call, replies, as: Listing.HoldID.self)
        case "HoldList": try await passThrough(call, replies, as: Listing.HoldQuery.self)
        case "Verify": try await passThrough(call, replies, as: Listing.VerifyRequest.self)
        default: try await adopt(replies)
        }
    }

    /// cvr-sync takes the store over; from then on sessions are numbered above those that are in it.
    private func adopt(_ replies: VarlinkReplies) async throws {
        do {
            let client = try await ProcessHome.sync(supervisor.places).connect()
            let adopted = try await client.call(
                "io.cvr.Sync.Adopt", VarlinkEmpty(), as: Listing.Adopted.self, timeout: nil)
            await client.close()
            await supervisor.raiseSessions(adopted.cameras)
            try await replies.send(adopted)
        } catch let error as VarlinkRemoteError {
            throw Self.translated(error)
        } catch is VarlinkConnectionError {
            throw Self.away
        }
    }

    private func passThrough<Parameters: Codable & Sendable>(
        _ call: VarlinkCall, _ replies: VarlinkReplies, as type: Parameters.Type
    ) async throws {
        try await passThrough("io.cvr.Sync.\(call.name)", try call.decode(type), call, replies)
    }

    /// Asks cvr-sync on a connection of its own, so that a long answer delays no other question.
    private func passThrough(
        _ method: String, _ parameters: some Encodable & Sendable, _ call: VarlinkCall, _ replies: VarlinkReplies
    ) async throws {
        do {
            let client = try await ProcessHome.sync(supervisor.places).connect()
            guard call.wantsMore else {
                let answer: Answer = Answer(try await client.callRaw(method, try JSONEncoder().encode(parameters)))
                await client.close()
                return try await replies.sendRaw(answer.json)
            }
            // One behind, so that the last is known to be the last.
            var held: Data?
            for try await reply in client.stream(method, parameters) {
                if let held { try await replies.sendRaw(held, continues: true) }
                held = reply
            }
            await client.close()
            try await replies.sendRaw(held ?? Data("{}".utf8))
        } catch let error as VarlinkRemoteError {
            throw Self.translated(error)
        } catch is VarlinkConnectionError {
            throw Self.away
        }
    }

    private struct Answer: Sendable {
        let json: Data
        init(_ json: Data) { self.json = json }
    }

    private struct Explanation: Codable, Sendable {
        var message: String
        var nextStep: String
    }

    private static let away = VarlinkFailure(
        name: "\(Admin.interface).SyncUnavailable",
        parameters: Explanation(
            message: "cvr-sync is away", nextStep: "None: cvrd restarts it; see `cvrctl sync status`"))

    /// cvr-sync's errors have the same names in both interfaces; one that cannot work yet, or any more, is away.
    private static func translated(_ error: VarlinkRemoteError) -> VarlinkFailure {
        if error.name == "\(SyncInterface.interface).Unavailable" { return away }
        let known = ["NotFound", "InvalidArgument", "StoreUnavailable", "Refused", "Failed"]
        let name = known.first { error.name == "\(SyncInterface.interface).\($0)" } ?? "Failed"
        return VarlinkFailure(
            name: "\(Admin.interface).\(name)",
            parameters: Explanation(message: error.message, nextStep: error.nextStep))
    }

    private static func failure(_ refusal: ChangeRefusal) -> VarlinkFailure {
        let (name, message, nextStep) =
            switch refusal {
            case .notFound(let message, let nextStep): ("NotFound", message, nextStep)
            case .invalid(let message, let nextStep): ("InvalidArgument", message, nextStep)
            case .refused(let message, let nextStep): ("Refused", message, nextStep)
            case .failed(let message, let nextStep): ("Failed", message, nextStep)
            }
        return VarlinkFailure(
            name: "\(Admin.interface).\(name)", parameters: Explanation(message: message, nextStep: nextStep))
    }
}
