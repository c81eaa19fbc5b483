import Footage
import HTTPTypes
import Hummingbird
import Recording

/// `/sign`: a signature with which somebody without an account sees one camera's footage of a range for a while.
struct SharingRoutes {
    let reader: FootageReader
    let access: Access
    let clock: ServerClock

    func add(to router: Router<PlaybackContext>) {
        router.get("/sign") { request, context in
            // A process always has a key; only a server that was made without one has none.
            guard let key = access.signing, context.visitor.mayShare else {
                throw Refusal(
                    403, "forbidden", "a token or a signature cannot be handed on", nextStep: "sign with an account")
            }
            let query = FootageQuery(request)
            let camera = try await reader.camera(named: try query.required("camera"), for: context.visitor)
            let (from, to) = (try query.requiredTime("from"), try query.requiredTime("to"))
            let length = query.text("seconds") == nil ? TimeSpan.seconds(3600) : try query.duration("seconds")
            guard from < to, length <= URLSignature.longest else {
                throw Refusal.badRequest(
                    "a signature is for a range of some length, and at most a day",
                    nextStep: "give from= before to=, and seconds= up to 86400")
            }
            _ = try context.visitor.bounds(from: from, to: to)
            let signature = URLSignature(camera: camera.name, range: from..<to, expires: clock.now() + length)
            return JSONAnswer.response(Answer(signature: signature.text(key: key), expires: signature.expires.rfc3339))
        }
    }

    private struct Answer: Encodable {
        /// To be added to a query as `signature=`.
        let signature: String
        let expires: String
    }
}
