import Foundation
import TestSupport
import Testing

extension BrowserTests {
    /// What is recorded now, seen as it comes.
    @Suite("Live", .shared { body in try await WatchedBox.shared { _ in try await body() } })
    struct Live {
        @Test("live pictures are at most 2 s old")
        func live() async throws {
            try await WatchedBox.current.scene("live") { box in
                try await box.settled()
                // From here on it is as late as it stays.
                try await box.browser.until("() => frameOf('front') >= 0 && frameOf('yard') >= 0")
                let latencies = try await box.latencies(seconds: 45)
                #expect(latencies.allSatisfy { (0...2).contains($0) })
            }
        }

        @Test("a phone shows it without scrolling sideways")
        func phone() async throws {
            try await WatchedBox.current.scene("phone", width: 390, height: 780) { box in
                try await box.browser.until("() => frameOf('front') >= 0")
                let overflow: Int = try await box.browser.value(
                    "() => document.documentElement.scrollWidth - innerWidth")
                #expect(overflow <= 0)
            }
        }
    }
}

extension BrowserTests {
    /// More cameras than a browser has connections for a server.
    @Suite(
        "Wall",
        .shared { body in
            try await WatchedBox.shared(WatchedBox.wall, start: WatchedBox.begin) { _ in try await body() }
        })
    struct Wall {
        @Test("sixteen cameras are live at a time, each at most 2 s behind, over one connection")
        func wall() async throws {
            let box = try WatchedBox.current
            let names = WatchedBox.wall.map(\.name).joined(separator: ",")
            try await box.scene("wall", at: "\(box.url)#cameras=\(names)", width: 1600, height: 1000) { box in
                try await box.browser.until("() => cvr.visible.every(camera => frameOf(camera.name) >= 0)", within: 60)
                let connections: Int = try await box.browser.value(
                    "() => performance.getEntriesByType('resource').filter(entry => entry.name.includes('/live/')).length"
                )
                #expect(connections <= 2)
                // Two cores that record, send and draw sixteen cameras stumble at times.
                let latencies = try await box.latencies(seconds: 30).sorted()
                #expect(latencies[latencies.count * 95 / 100] <= 2)
                let moved: [String: Set<Int>] = try await box.looks(8, every: 300).reduce(into: [:]) { moved, look in
                    for (camera, frame) in look.frames { moved[camera, default: []].insert(frame) }
                }
                #expect(moved.count == 16 && moved.values.allSatisfy { $0.count > 4 })
            }
        }
    }
}

extension WatchedBox {
    fileprivate static let wall = (1...16).map { CameraRig.Camera("camera-\($0)", clip: "coded-aac") }

    /// Starts the box and returns when each camera of the wall has something.
    @Sendable fileprivate static func begin(_ box: Box, _ rig: CameraRig) async throws {
        try await box.start()
        for camera in wall {
            try await eventually("\(camera.name) records", within: .seconds(60)) {
                // Nothing is known of a camera before its first segment.
                let segments = (try? await box.segments(of: camera.name)) ?? []
                return segments.isEmpty ? nil : true
            }
        }
    }

    /// How old the pictures are, twice a second, in seconds.
    ///
    /// Prints the median and the worst.
    func latencies(seconds: Int) async throws -> [Double] {
        var found: [Double] = []
        for _ in 0..<max(1, seconds / 15) {
            for look in try await looks(30, every: 500) {
                for (camera, frame) in look.frames { found.append(-(try error(of: frame, of: camera, at: look.now))) }
            }
        }
        let sorted = found.sorted()
        print(
            "live: \(sorted.count) looks at \(rig.urls.count) cameras, \(sorted[sorted.count / 2]) s behind (median), "
                + "\(sorted[sorted.count * 95 / 100]) s (95 %), \(sorted.last ?? 0) s (most)")
        return found
    }
}
