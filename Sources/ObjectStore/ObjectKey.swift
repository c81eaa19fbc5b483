package import Recording

/// An object's place, relative to the store's root: `<site>/<asset>/YYYY-MM-DD/HH/MM-SS.mmmZ.<counter>.mp4`.
///
/// After the ONVIF recording control's object-storage annex. Every key is safe in a path and a URL: no component is
/// empty, starts with a dot or holds anything but letters, digits, `-`, `_` and `.`.
package struct ObjectKey: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package let site: String
    package let asset: String
    /// Whole milliseconds.
    package let start: WallTime
    package let counter: Int64

    /// Nil when the asset's name is no safe path component.
    package init?(site: SiteName, asset: String, start: WallTime, counter: Int64) {
        guard Self.isSafe(asset), counter >= 0 else { return nil }
        self.site = site.text
        self.asset = asset
        self.start = start.wholeMilliseconds
        self.counter = counter
        let civil = self.start.civil
        let name =
            "\(padded(civil.minute, 2))-\(padded(civil.second, 2)).\(padded(civil.microsecond / 1000, 3))Z.\(counter).mp4"
        text = "\(site)/\(asset)/\(self.start.rfc3339.prefix(10))/\(padded(civil.hour, 2))/\(name)"
    }

    /// Nil for every text that the other initialiser does not make.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 5, let site = SiteName(parts[0]) else { return nil }
        let name = parts[4].split(separator: ".", omittingEmptySubsequences: false)
        guard name.count == 4, name[3] == "mp4", let counter = Int64(name[2]) else { return nil }
        let clock = name[0].split(separator: "-", omittingEmptySubsequences: false)
        guard clock.count == 2,
            let start = WallTime(rfc3339: "\(parts[2])T\(parts[3]):\(clock[0]):\(clock[1]).\(name[1])"),
            let key = ObjectKey(site: site, asset: String(parts[1]), start: start, counter: counter),
            key.text == text
        else { return nil }
        self = key
    }

    package var description: String { text }

    /// One path component that can do no harm.
    package static func isSafe(_ component: some StringProtocol) -> Bool {
        let bytes = component.utf8
        guard (1...128).contains(bytes.count), bytes.first != UInt8(ascii: ".") else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }
}
