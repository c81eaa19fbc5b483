import Catalog
package import Recording
import SegmentStore

/// Measures what a forecast is made of, and tells when a camera's cache is about to run out of room.
struct Forecaster {
    /// Footage that ended longer ago than two segments and this is of a camera that does not record.
    private static let slack = TimeSpan.seconds(120)

    let work: Workspace
    let progress: Progress

    /// `caches` are their bytes; `alarms` what was told already.
    func run(_ caches: [CameraName: Int64], _ alarms: inout [CameraName: HeadroomAlarm]) throws {
        let isStoreAway = progress.current.breaker.state != .closed || progress.current.hold(work.pace) != nil
        var forecasts: [CameraName: Forecast] = [:]
        for held in CacheEviction(work: work).disks(caches) {
            var cameras: [CameraName: Forecast.Camera] = [:]
            for (camera, bytes) in held { cameras[camera] = try measure(camera, bytes) }
            guard let any = held.keys.first, let free = freeSpace(of: any) else { continue }
            forecasts.merge(Forecast.of(cameras, free: free, isStoreAway: isStoreAway)) { $1 }
        }
        progress.update { [forecasts] in $0.forecasts = forecasts }
        alarms = alarms.filter { forecasts[$0.key] != nil }
        for (camera, forecast) in forecasts.sorted(by: { $0.key < $1.key }) { tell(camera, forecast, &alarms) }
    }

    private func measure(_ camera: CameraName, _ bytes: Int64) throws -> Forecast.Camera {
        let policy = try work.policy(camera)
        let pending = try work.catalog.holdings(camera).pendingBytes.addingSaturated(
            work.catalog.unfiledBytes(camera))
        let rate = try work.catalog.recordingRate(camera)
        let oldest = work.clock.now() - policy.segmentLength * 2 - Self.slack
        let recording = rate.map { $0.until >= oldest ? $0.bytesPerSecond : 0 } ?? 0
        let period = max(policy.segmentLength, work.settings.period)
        return Forecast.Camera(
            pending: pending, verified: bytes.subtractingSaturated(pending), budget: policy.cacheBudget,
            recording: recording,
            uploading: progress.current.uploads[camera]?.bytesPerSecond(at: work.clock.monotonic()) ?? 0,
            usual: recording * (period * 2).seconds)
    }

    /// Above the minimum; nil when the disk does not tell.
    private func freeSpace(of camera: CameraName) -> Int64? {
        // Losing these errors is right: the survey of the same cache tells them.
        let cache = try? CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        guard let space = try? cache?.freeSpace() else { return nil }  // as above
        let minimum = Double(space.total) * work.settings.minimumFreePercent / 100
        return space.available.subtractingSaturated(Int64(minimum))
    }

    private func tell(_ camera: CameraName, _ forecast: Forecast, _ alarms: inout [CameraName: HeadroomAlarm]) {
        guard let step = alarms[camera, default: HeadroomAlarm()].reach(forecast), let left = forecast.evictionIn
        else { return }
        let stops = work.settings.cameras[camera]?.dropsOldest == false
        let what = stops ? "recording stops" : "footage that is not in the store starts to be evicted"
        let detail = "less than \(step) % of its room is left; at this rate \(what) in \(left.words)"
        work.tell("evictionNear", camera, detail)
    }
}

extension TimeSpan {
    /// The two largest units: `6 d 4 h`, `3 h 12 min`, `4 min`, `20 s`.
    package var words: String {
        let seconds = max(0, microseconds / 1_000_000)
        let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")] as [(Int64, String)]
        guard let first = units.firstIndex(where: { seconds >= $0.0 }), first < 2 else {
            return seconds < 60 ? "\(seconds) s" : "\(seconds / 60) min"
        }
        let rest = seconds % units[first].0 / units[first + 1].0
        let whole = "\(seconds / units[first].0) \(units[first].1)"
        return rest == 0 ? whole : "\(whole) \(rest) \(units[first + 1].1)"
    }
}
