/// Legal holds, the same in `io.cvr.Admin` and `io.cvr.Sync`.
extension Listing {
    package struct Hold: Codable, Hashable, Sendable {
        package var id: String
        package var camera: String
        package var from: String
        package var to: String
        package var reason: String
        package var created: String

        package init(id: String, camera: String, from: String, to: String, reason: String, created: String) {
            self.id = id
            self.camera = camera
            self.from = from
            self.to = to
            self.reason = reason
            self.created = created
        }
    }

    /// Answer of `HoldAdd`.
    package struct AddedHold: Codable, Hashable, Sendable {
        package var hold: Hold

        package init(hold: Hold) { self.hold = hold }
    }

    /// Answer of `HoldList`.
    package struct Holds: Codable, Hashable, Sendable {
        package var holds: [Hold]

        package init(holds: [Hold]) { self.holds = holds }
    }

    /// Parameters of `HoldAdd`.
    package struct HoldRequest: Codable, Hashable, Sendable {
        package var camera: String
        package var from: String
        package var to: String
        package var reason: String?

        package init(camera: String, from: String, to: String, reason: String?) {
            self.camera = camera
            self.from = from
            self.to = to
            self.reason = reason
        }
    }

    /// Parameters of `HoldRemove`.
    package struct HoldID: Codable, Hashable, Sendable {
        package var id: String

        package init(id: String) { self.id = id }
    }

    /// Parameters of `HoldList`.
    package struct HoldQuery: Codable, Hashable, Sendable {
        package var camera: String?

        package init(camera: String?) { self.camera = camera }
    }
}
