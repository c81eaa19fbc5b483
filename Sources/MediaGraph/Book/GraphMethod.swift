/// LVA's direct methods for media graphs; other names are none of ours (501).
package enum GraphMethod: String, CaseIterable, Sendable {
    case topologySet = "GraphTopologySet"
    case topologyGet = "GraphTopologyGet"
    case topologyList = "GraphTopologyList"
    case topologyDelete = "GraphTopologyDelete"
    case instanceSet = "GraphInstanceSet"
    case instanceGet = "GraphInstanceGet"
    case instanceList = "GraphInstanceList"
    case instanceDelete = "GraphInstanceDelete"
    case instanceActivate = "GraphInstanceActivate"
    case instanceDeactivate = "GraphInstanceDeactivate"
}
