import Recording

/// A camera's archive in the store, as an `assetNamePattern` gives it.
enum AssetName {
    private static let graphTopology = "cvr-asset"

    /// Resolves LVA's system variables and holds the result to what is safe in every store's keys.
    ///
    /// The instance of a camera is the camera; its topology is the built-in `cvr-asset`. The time variables of
    /// LVA would make a new asset at each start: a continuous recording has one.
    static func resolve(_ pattern: String, camera: CameraName) throws(BadValue) -> String {
        let variables = [
            "System.GraphInstanceName": camera.text, "System.GraphTopologyName": graphTopology,
        ]
        let template = Template(pattern)
        guard template.isClosed else { throw BadValue("a variable without its closing }") }
        var name = ""
        for part in template.parts {
            switch part {
            case .text(let text): name += text
            case .reference(let variable):
                guard let value = variables[variable] else {
                    let nearest = Schema.nearest(to: variable, among: variables.keys.sorted()) ?? ""
                    throw BadValue("unknown variable; did you mean ${\(nearest)}?")
                }
                name += value
            }
        }
        guard (1...128).contains(name.utf8.count), name.utf8.allSatisfy(isSafe) else {
            throw BadValue("gives a name that is not 1 to 128 letters, digits, - and _")
        }
        return name
    }

    private static func isSafe(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
