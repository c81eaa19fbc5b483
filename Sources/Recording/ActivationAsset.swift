/// Assets of one activation of a signal gate, which nothing else is recorded into.
///
/// Their names hold the moment that it began, as LVA's `${System.DateTime}` writes it: `gate-20260222T173200Z`. What tells
/// them is the name, so that a store alone does, too.
package enum ActivationAsset {
    private static let form = Array("00000000T000000Z".utf8)

    package static func isNamed(_ asset: some StringProtocol) -> Bool {
        let bytes = Array(asset.utf8)
        guard bytes.count >= form.count else { return false }
        return (0...(bytes.count - form.count)).contains { start in
            zip(form, bytes[start...]).allSatisfy { expected, byte in
                expected == UInt8(ascii: "0") ? UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte : expected == byte
            }
        }
    }
}
