import Messages

/// The steps of an upgrade under way, for everybody who asks for one meanwhile.
struct UpgradeSteps {
    /// Somebody follows it who asked for it.
    var isAsked = false
    private var done: [Admin.UpgradeStep] = []
    private var followers: [AsyncThrowingStream<Admin.UpgradeStep, any Error>.Continuation] = []

    /// Those so far, and each later one as it is done.
    mutating func follow() -> AsyncThrowingStream<Admin.UpgradeStep, any Error> {
        let (stream, follower) = AsyncThrowingStream.makeStream(of: Admin.UpgradeStep.self)
        for step in done { follower.yield(step) }
        followers.append(follower)
        return stream
    }

    mutating func add(_ step: Admin.UpgradeStep) {
        done.append(step)
        for follower in followers { follower.yield(step) }
    }

    /// `refusal` says why there is no last step.
    func finish(throwing refusal: ChangeRefusal?) { for follower in followers { follower.finish(throwing: refusal) } }
}
