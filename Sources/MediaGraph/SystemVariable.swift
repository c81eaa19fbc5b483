/// What the box itself knows of a graph that runs.
enum SystemVariable: Hashable, Sendable {
    case dateTime
    case preciseDateTime
    case topologyName
    case instanceName

    /// LVA's name or the one that AVA gave it later, in any case; nil for any other.
    init?(_ name: String) {
        switch name.lowercased() {
        case "system.datetime", "system.runtime.datetime": self = .dateTime
        case "system.precisedatetime", "system.runtime.precisedatetime": self = .preciseDateTime
        case "system.graphtopologyname", "system.topologyname": self = .topologyName
        case "system.graphinstancename", "system.pipelinename": self = .instanceName
        default: return nil
        }
    }

    static let names = [
        "System.DateTime", "System.PreciseDateTime", "System.GraphTopologyName", "System.GraphInstanceName",
    ]

    /// Whether a parameter may not be called so, because it would hide a variable of this or a later version.
    static func reserves(_ name: String) -> Bool { name.lowercased().hasPrefix("system.") }
}
