import Messages
import Serving
import Varlink

/// Answers `io.cvr.Playback`: decodes, calls the service, encodes.
struct PlaybackHandler: Sendable {
    let service: PlaybackService

    func answer(_ call: VarlinkCall, _ replies: VarlinkReplies) async throws {
        switch call.name {
        case "Configure":
            do {
                try await service.configure(PlaybackSettings(try call.decode(PlaybackInterface.Configuration.self)))
            } catch let error as ServingError where error.code == .outdated {
                // Taken: the next process begins with it.
            }
            try await replies.send(VarlinkEmpty())
        case "Report":
            service.reported.take(try call.decode(PlaybackInterface.Report.self).status)
            try await replies.send(VarlinkEmpty())
        case "Status": try await replies.send(await service.status)
        case "Stop":
            let again = try call.decode(PlaybackInterface.Stop.self).again ?? false
            try await replies.send(VarlinkEmpty())
            await service.stop(again: again)
        default: throw VarlinkFailure.methodNotFound(call.method)
        }
    }
}
