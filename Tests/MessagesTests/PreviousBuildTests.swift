import Foundation
import Messages
import Testing

/// What the build before this one says, word for word: in an upgrade the two speak to each other.
@Suite("Replies of the build before")
struct PreviousBuildTests {
    /// Of cvrd to `cvrctl status`; members without a value are left out.
    private static let status = """
        {"cameras":[{"anomalies":2,"bitsPerSecond":2000000,"build":"0.4.0 (1f2e3d4c)","cacheBudgetBytes":268435456,
        "cacheBytes":1048576,"codec":"h264","framesPerSecond":25,"framesReceived":250,"height":1080,"lastFrameAge":0.04,
        "name":"front","oldestLocal":"2026-11-23T08:00:00Z","pendingBytes":4096,"pendingSegments":1,"pid":4711,
        "restarts":0,"sandbox":"landlock 5, seccomp","session":3,"since":"2026-11-23T08:00:00Z","state":"recording",
        "troubles":{"clockDrift":1},"unverifiedTLS":false,"width":1920},
        {"anomalies":0,"bitsPerSecond":0,"build":"","cacheBudgetBytes":0,"cacheBytes":0,"codec":"",
        "framesPerSecond":0,"framesReceived":0,"height":0,"lastError":{"code":"connectionRefused",
        "message":"nothing listens","nextStep":"check the camera"},"name":"yard","pendingBytes":0,"pendingSegments":0,
        "restarts":7,"session":0,"since":"2026-11-23T08:00:00Z","state":"backingOff","troubles":{},
        "unverifiedTLS":false,"width":0}],
        "sync":{"breaker":"closed","lag":0.5,"pid":4712,"retries":1,"sandbox":"landlock 5, seccomp","state":"idle",
        "writes":12},"uptime":3600.5,"version":"0.4.0"}
        """
    /// Of cvr-sync to cvrd.
    private static let syncStatus = """
        {"breaker":"open","build":"0.4.0 (1f2e3d4c)","caches":[{"cacheBytes":1048576,"name":"front",
        "pendingBytes":4096,"pendingSegments":1}],"lag":0.5,"lastError":{"code":"failed","message":"no answer",
        "nextStep":"check the network"},"retries":1,"sandbox":"landlock 5, seccomp","state":"idle","writes":12}
        """
    private static let configuration = """
        {"cachePath":"/var/lib/cvr/cache","cameras":[{"asset":"front","cacheBudgetBytes":268435456,"configured":true,
        "dropsOldest":true,"name":"front","segmentLength":30}],"heartbeatPath":"/run/cvr/heartbeat",
        "minimumFreePercent":5,"site":"plant","statePath":"/var/lib/cvr/state",
        "storeURL":"file:///var/lib/cvr/store","trustsClock":false}
        """

    private func decoded<Reply: Decodable>(_ text: String, as reply: Reply.Type = Reply.self) throws -> Reply {
        try JSONDecoder().decode(reply, from: Data(text.utf8))
    }

    @Test("a status of the cvrd before is shown by the cvrctl of now")
    func status() throws {
        let status = try decoded(Self.status, as: Admin.Status.self)
        #expect(status.cameras.map(\.state) == ["recording", "backingOff"] && status.sync.writes == 12)
        #expect(status.cameras.allSatisfy { $0.evictionIn == nil && $0.cacheFull == nil })
    }

    @Test("a status of the cvr-sync before is understood by the cvrd of now")
    func syncStatus() throws {
        let status = try decoded(Self.syncStatus, as: SyncInterface.Status.self)
        #expect(status.breaker == "open" && status.caches.map(\.evictionIn) == [nil])
    }

    @Test("a configuration of the cvrd before is taken by the cvr-sync of now")
    func configuration() throws {
        let configuration = try decoded(Self.configuration, as: SyncInterface.Configuration.self)
        #expect(configuration.storeAccess == nil && configuration.bandwidth == nil)
        #expect(configuration.cameras.map(\.retention) == [nil])
    }
}
