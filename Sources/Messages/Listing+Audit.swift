import Recording

/// What `Verify` asks and finds, the same in `io.cvr.Admin` and `io.cvr.Sync`.
extension Listing {
    /// Parameters of `Verify`.
    package struct VerifyRequest: Codable, Hashable, Sendable {
        package var camera: String?
        package var deep: Bool?

        package init(camera: String?, deep: Bool?) {
            self.camera = camera
            self.deep = deep
        }
    }

    package struct Finding: Codable, Hashable, Sendable {
        package var camera: String
        package var key: String
        package var kind: String
        package var repaired: Bool
        package var detail: String

        package init(camera: String, key: String, kind: String, repaired: Bool, detail: String) {
            self.camera = camera
            self.key = key
            self.kind = kind
            self.repaired = repaired
            self.detail = detail
        }
    }

    /// Answer of `Verify`; with `more` one a step.
    ///
    /// Of one camera some hundred findings are named, the further ones counted: how many, and how many of those could not
    /// be repaired.
    package struct Verified: Codable, Hashable, Sendable {
        package var checked: Int64
        package var findings: [Finding]
        package var omitted: Int64?
        package var omittedUnrepaired: Int64?

        package init(
            checked: Int64, findings: [Finding], omitted: Int64? = nil, omittedUnrepaired: Int64? = nil
        ) {
            self.checked = checked
            self.findings = findings
            self.omitted = omitted
            self.omittedUnrepaired = omittedUnrepaired
        }

        package static func += (total: inout Verified, step: Verified) {
            total.checked = total.checked.addingSaturated(step.checked)
            total.findings += step.findings
            if let count = step.omitted { total.omitted = (total.omitted ?? 0).addingSaturated(count) }
            if let count = step.omittedUnrepaired {
                total.omittedUnrepaired = (total.omittedUnrepaired ?? 0).addingSaturated(count)
            }
        }

        package var isSound: Bool { findings.allSatisfy(\.repaired) && (omittedUnrepaired ?? 0) == 0 }
    }
}
