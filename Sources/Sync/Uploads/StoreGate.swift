import ObjectStore
import Recording

/// The way to the store: tells the breaker how it went, and tries again within a pass what another try may mend.
struct StoreGate: Sendable {
    /// Of one request in one pass; what it does not settle is the next pass's.
    private static let tries = 4

    let work: Workspace
    let progress: Progress
    let isStopping: @Sendable () -> Bool
    /// The store took something in this pass: one that refuses another is not away.
    var isTaking: @Sendable () -> Bool = { false }

    /// Runs `body` again, after a pause, while the failures of the store look passing and the budget lasts.
    ///
    /// Throws the last failure of the store, which was counted; `isClosed` says whether the others go on.
    func trying<Value>(_ body: () throws -> Value) throws -> Value {
        var attempt = 0
        while true {
            // What another thread was refused for being one too many, this one does not ask for either.
            if let until = progress.current.restsUntil {
                let wasAway = progress.current.breaker.state == .open
                let isRested = wait(until: until)
                // Meanwhile it went away: one asks, not all.
                let numbers = progress.current
                if !isRested, !wasAway, numbers.breaker.state == .open, let why = numbers.lastFailure { throw why }
            }
            do { return try body() } catch let error as ObjectStoreError where error.scope == .store {
                attempt += 1
                failed(error)
                guard mayRetry(error, attempt) else { throw error }
                let pause = RetryBudget.pause(
                    before: attempt, storeAsksFor: error.retryAfter, jitter: .random(in: 0..<1))
                guard wait(until: work.clock.monotonic() + pause) else { throw error }
                progress.update { $0.retries += 1 }
            }
        }
    }

    /// Runs `body` once, and counts its failure.
    func once<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as ObjectStoreError where error.scope == .store {
            failed(error)
            throw error
        }
    }

    /// The store answers: requests go on.
    var isClosed: Bool { progress.current.breaker.state == .closed }

    /// The store did what it was asked.
    func succeeded() {
        let failures = progress.update { numbers in
            defer { numbers.breaker.succeeded() }
            return numbers.breaker.state == .closed ? 0 : numbers.breaker.failures
        }
        guard failures > 0 else { return }
        progress.clear(.store)
        work.tell("storeBack", nil, "after \(failures) failed attempts")
    }

    private func failed(_ error: ObjectStoreError) {
        let now = work.clock.monotonic()
        let isLasting = error.outlook == .lasting && !isTaking()
        let weight: Breaker.Weight = work.store.canVanish ? .folder : isLasting ? .lasting : .passing
        let jitter = Double.random(in: 0..<1)
        let asked = min(error.retryAfter ?? .zero, .seconds(60))
        let isAway = progress.update { numbers in
            numbers.lastFailure = error
            if asked > .zero { numbers.restsUntil = now + asked }
            return numbers.breaker.failed(weight, at: now, jitter: jitter)
        }
        guard isAway else { return }
        // It may be another one when it is back; once seen it need not be looked at with each probe.
        work.watch.forget()
        work.tell("storeAway", nil, "\(error)")
    }

    private func mayRetry(_ error: ObjectStoreError, _ attempt: Int) -> Bool {
        guard attempt < Self.tries, error.outlook != .lasting, isClosed, !isStopping() else { return false }
        return progress.update { $0.retryBudget.permitsRetry(isTimeout: error.outlook == .timedOut) }
    }

    /// False when it was cut short: the pass ends, or the store is away.
    @discardableResult
    private func wait(until moment: MonotonicTime) -> Bool {
        while !isStopping(), progress.current.breaker.state != .open {
            let left = moment - work.clock.monotonic()
            guard left > .zero else { return true }
            work.clock.sleep(min(left, .milliseconds(100)))
        }
        return false
    }
}
