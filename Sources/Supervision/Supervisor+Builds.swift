import Logging
import Messages
import Recording

/// Which build workers are started from: the installed one, unless it did not record and one that did is kept.
extension Supervisor {
    /// Recording so long without a break makes a build one to go back to; the first need not.
    private static let proof = TimeSpan.seconds(60)
    private static let lookPeriod = Duration.seconds(10)
    /// Programs lie on another disk than footage; one that does not answer holds no start up.
    private static let looking = Duration.seconds(2)

    /// The id of a program file; nil for one without.
    func installedBuild(of program: String) async -> String? {
        await offPool(atMost: Self.looking) { BuildIdentity.id(at: program) } ?? nil
    }

    func isRefused(_ build: String?) -> Bool { refusal.map { $0.build == build } ?? false }

    /// What the next worker is started from.
    func ingestProgram() async -> String {
        let (kept, installed) = (KeptBuilds(places), surroundings.programs.ingest)
        return await substitute().map { kept.path(of: $0) } ?? installed
    }

    /// The kept build in the place of the installed one; nil when that is not refused, or none is kept.
    func substitute() async -> String? {
        guard let refusal else { return nil }
        let (kept, program) = (KeptBuilds(places), surroundings.programs.ingest)
        // Disks that do not answer in time pardon nobody.
        let installed = await offPool(atMost: Self.looking) { BuildIdentity.id(at: program) }
        if let installed, !isRefused(installed) { return nil }
        return await offPool(atMost: Self.looking) { kept.substitute(for: refusal) } ?? refusal.instead
    }

    // MARK: A build that does not record

    /// Nobody tries `build` again unasked, also after a restart of cvrd.
    func refuse(_ build: String?, instead: String?) async {
        await note(KeptBuilds.Refusal(build: build, instead: instead))
    }

    /// The operator wants to see it tried.
    func pardon() async { if refusal != nil { await note(nil) } }

    private func note(_ new: KeptBuilds.Refusal?) async {
        refusal = new
        let kept = KeptBuilds(places)
        do {
            try await offPool { try kept.note(new) }
        } catch {
            events.append("stateNotWritten", "\(error)")
        }
    }

    func recallRefusal() async {
        let kept = KeptBuilds(places)
        refusal = await offPool(atMost: Self.looking) { kept.refusal() } ?? nil
    }

    /// An operator who restarts cvrd to have the new build must know why it is not used.
    func tellOfRefusal() async {
        guard let build = await substitute() else { return }
        events.append(
            "buildRefused", level: .warning,
            "the installed build \(refusal?.build ?? "unknown") did not record; workers are started from \(build) until "
                + "another one is installed, or `cvrctl upgrade` tries it again")
    }

    // MARK: Builds to go back to

    func keepBuilds() async {
        var hasFailed = false
        do {
            while true {
                try await Task.sleep(for: Self.lookPeriod)
                let failure = await keepRecordingBuilds()
                // A disk that stays full is told of once.
                if let failure, !hasFailed { events.append("stateNotWritten", "\(failure)") }
                hasFailed = failure != nil
            }
        } catch {
            // Cancelled: cvrd ends.
        }
    }

    private func keepRecordingBuilds() async -> (any Error)? {
        var builds: [String: Bool] = [:]
        for row in rows.values {
            guard let since = row.recordingSince, let build = row.build.flatMap(BuildIdentity.id(inName:)) else {
                continue
            }
            builds[build] = builds[build] == true || MonotonicTime.now - since > Self.proof
        }
        let (kept, path) = (KeptBuilds(places), surroundings.programs.ingest)
        do {
            for (build, isProven) in builds {
                try await offPool { try kept.keep(build, from: path, isProven: isProven) }
            }
            return nil
        } catch {
            return error
        }
    }
}
