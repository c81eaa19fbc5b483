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
    package struct Verified: Codable, Hashable, Sendable {
        package var checked: Int64
        package var findings: [Finding]

        package init(checked: Int64, findings: [Finding]) {
            self.checked = checked
            self.findings = findings
        }
    }
}
