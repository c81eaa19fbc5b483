import Footage
import Logging
import Messages
import Recording
import ServiceLifecycle
import Serving

/// What is served with one configuration: the server, and all that it is made of.
final class WebService: Sendable {
    private let server: PlaybackServer
    private let archive: Archive
    /// Seconds since 1970.
    let certificateEnd: Int64?

    /// Throws for a configuration that cannot be served; `doors` are not touched then.
    ///
    /// `preview` is cvr-preview's path.
    init(
        _ settings: PlaybackSettings, doors: PlaybackDoors, preview: String?, reported: ReportedStatus, log: Logger
    ) async throws(ServingError) {
        let archive = try settings.openArchive()
        let end = try settings.checkCertificate()
        let access = try await settings.openAccess()
        let (site, isReplica, coverage) = (settings.site.text, settings.box == nil, CoverageWatch(archive))
        let hooks = ServerHooks(
            metrics: { viewers in
                BoxMetrics.text(
                    reported.current,
                    BoxMetrics.Own(
                        site: site, isReplica: isReplica, viewers: Int64(viewers), certificateEnd: end,
                        // Told with the box's status alone: a replica would list its store for nothing.
                        coverage: isReplica ? [:] : await coverage.current()))
            }, previews: preview.map { Previews(Previews.Settings(program: $0)) })
        server = PlaybackServer(
            try settings.openServer(doors), archive: archive, access: access, hooks: hooks, log: log)
        self.archive = archive
        certificateEnd = end
    }

    var viewers: Int64 { Int64(server.viewers) }

    /// Other cameras: all that may change while it serves.
    func take(_ settings: PlaybackSettings) {
        if let box = settings.box { archive.take(box.archived) }
    }

    func run() async throws { try await server.run() }
}
