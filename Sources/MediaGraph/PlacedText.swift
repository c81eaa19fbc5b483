import Recording

/// A text of a node, and where it stands.
struct PlacedText {
    let text: String
    let template: Template
    let format: Format
    let path: String

    /// Those of a node, in the order of LVA's schema.
    static func all(of node: GraphNode) -> [PlacedText] {
        var found: [PlacedText] = []
        gather(
            .object(node.properties), as: .object(NodeShapes.properties(of: node.type)), at: node.path, into: &found)
        return found
    }

    private static func gather(
        _ value: NodeValue, as shape: Shape, at path: String, into found: inout [PlacedText]
    ) {
        switch (shape, value) {
        case (.text(let format), _):
            guard let text = value.text else { return }
            found.append(PlacedText(text: text, template: Template(text), format: format, path: path))
        case (.list(let shape), .list(let elements)):
            for (index, element) in elements.enumerated() {
                gather(element, as: shape, at: "\(path)[\(index)]", into: &found)
            }
        case (.object(let properties), .object): members(of: value, as: properties, at: path, into: &found)
        case (.variants(let variants), .object):
            let type = value["@type"]?.text?.dropFirst(NodeShapes.prefix.count)
            guard let variant = variants.first(where: { $0.type == type ?? "" }) else { return }
            members(of: value, as: variant.properties, at: path, into: &found)
        default: break
        }
    }

    private static func members(
        of value: NodeValue, as list: [Property], at path: String, into found: inout [PlacedText]
    ) {
        for property in list {
            guard let member = value[property.name] else { continue }
            gather(member, as: property.shape, at: "\(path).\(property.pathName)", into: &found)
        }
    }
}

/// A node of which an instance decides something, and its texts that do: the others were found right with the topology.
struct OpenNode {
    let node: GraphNode
    let texts: [PlacedText]
}

extension Topology {
    /// Made once for all of its instances: it may have ten thousand texts, and few of them are open.
    var openNodes: [OpenNode] {
        nodes.compactMap { node in
            let texts = PlacedText.all(of: node).filter { !$0.template.references.isEmpty }
            return texts.isEmpty ? nil : OpenNode(node: node, texts: texts)
        }
    }
}
