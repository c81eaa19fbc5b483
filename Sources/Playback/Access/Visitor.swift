package import Recording

/// Whoever asks, and what of the footage they may see.
package struct Visitor: Hashable, Sendable {
    package enum Cameras: Hashable, Sendable {
        case all
        /// By their own names, and by those of their assets.
        case some(named: Set<String>, assets: Set<String>)

        package static func named(_ names: Set<String>) -> Cameras { .some(named: names, assets: []) }
    }

    /// A name for logs; empty for nobody in particular.
    package let name: String
    package let cameras: Cameras
    /// What they may see of these.
    package let window: Range<WallTime>
    /// When their token or signature ends, and with it all that they are being sent live.
    package let until: WallTime
    /// What of a request's query must be in the query of every address that its answer names.
    package let carried: [String]
    /// May hand on what they may see (`/sign`).
    package let mayShare: Bool

    package init(
        name: String, cameras: Cameras, window: Range<WallTime> = .always, until: WallTime = .latest,
        carried: [String] = [], mayShare: Bool = false
    ) {
        self.name = name
        self.cameras = cameras
        self.window = window
        self.until = until
        self.carried = carried
        self.mayShare = mayShare
    }

    /// Where nobody is asked who they are.
    package static let anybody = Visitor(name: "", cameras: .all, mayShare: true)

    package func maySee(camera: CameraName, asset: String) -> Bool {
        switch cameras {
        case .all: true
        case .some(let names, let assets): names.contains(camera.text) || assets.contains(asset)
        }
    }

    package var maySeeAll: Bool { cameras == .all && window == .always }
}

extension Range<WallTime> {
    package static let always = WallTime.earliest..<WallTime.latest

    /// What of `from ..< to` is in it; empty when nothing is, or when that is no range.
    func clamped(from: WallTime, to: WallTime) -> Range<WallTime> {
        from < to ? (from..<to).clamped(to: self) : lowerBound..<lowerBound
    }
}
