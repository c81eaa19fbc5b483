package import Recording

/// The place of a small object that is written again: a day's summary, a hold, a site's mark.
///
/// As safe in a path and a URL as an `ObjectKey`.
package struct DocumentKey: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// `<site>/<asset>/YYYY-MM-DD/summary.ndjson`; `day` is its first moment, UTC.
        case summary(asset: String, day: WallTime)
        /// `<site>/<asset>/holds/<id>.json`
        case hold(asset: String, id: String)
        /// `<site>/.identity`: tells the store from every other one, and whose it is.
        case mark
    }

    package let text: String
    package let site: SiteName
    package let kind: Kind

    /// Nil when a name is no safe path component; a moment within the day is taken for the day.
    package init?(_ kind: Kind, of site: SiteName) {
        self.site = site
        switch kind {
        case .summary(let asset, let day):
            guard ObjectKey.isSafe(asset), let start = WallTime(rfc3339: "\(day.rfc3339.prefix(10))T00:00:00Z") else {
                return nil
            }
            text = "\(site)/\(asset)/\(start.rfc3339.prefix(10))/summary.ndjson"
            self.kind = .summary(asset: asset, day: start)
        case .hold(let asset, let id):
            guard ObjectKey.isSafe(asset), ObjectKey.isSafe(id) else { return nil }
            text = "\(site)/\(asset)/holds/\(id).json"
            self.kind = kind
        case .mark:
            text = "\(site)/.identity"
            self.kind = kind
        }
    }

    /// Nil for every text that the other initialiser does not make.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        guard let site = parts.first.flatMap({ SiteName($0) }), let last = parts.last else { return nil }
        let kind: Kind
        if parts.count == 2 {
            kind = .mark
        } else if parts.count == 4, parts[2] == "holds", last.hasSuffix(".json") {
            kind = .hold(asset: parts[1], id: String(last.dropLast(5)))
        } else if parts.count == 4, let day = WallTime(rfc3339: "\(parts[2])T00:00:00Z") {
            kind = .summary(asset: parts[1], day: day)
        } else {
            return nil
        }
        guard let key = DocumentKey(kind, of: site), key.text == text else { return nil }
        self = key
    }

    package var description: String { text }
}
