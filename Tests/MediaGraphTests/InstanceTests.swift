import JSON
import MediaGraph
import Recording
import TestSupport
import Testing

/// Instances: what they must say, what comes back of them.
@Suite("instances")
struct InstanceTests {
    private static let graph = SampleGraph.named("cvr-asset")

    private func topology() throws -> Topology { try Topology(Self.graph.payload(.v2), at: someTime) }

    private func mistakes(_ payload: JSONValue) throws -> [String] {
        let topology = try topology()
        return graphError { () throws(GraphError) in
            try Instance(payload, topology: { $0 == topology.name ? topology : nil }, at: someTime)
        }?.summary ?? []
    }

    @Test("what was set comes back, with its times and state")
    func roundTrip() throws {
        let topology = try topology()
        let payload = Self.graph.instance(.v2)
        let instance = try Instance(payload, topology: { _ in topology }, at: someTime)
        let times: JSONValue = [
            "createdAt": "2021-04-19T19:22:49.296Z", "lastModifiedAt": "2021-04-19T19:22:49.296Z",
        ]
        #expect(
            instance.json(.hidden)
                == payload.setting("systemData", times).setting("properties.state", "Inactive"))
        #expect(instance.cameraName == "sample-graph-1")
    }

    @Test("on disk it is whole, with its state and both times")
    func stored() throws {
        let topology = try topology()
        var instance = try Instance(Self.graph.instance(.v1), topology: { _ in topology }, at: someTime)
        instance.state = .active
        instance.createdAt = WallTime(seconds: 1)
        #expect(try Instance(stored: instance.json(.sealed(seal)), open: unseal) == instance)
    }

    @Test("a topology keeps both its times on disk, too")
    func storedTopology() throws {
        var topology = try topology()
        topology.createdAt = WallTime(seconds: 1)
        #expect(try Topology(stored: topology.json(.sealed(seal)), open: unseal) == topology)
    }

    @Test("the state is the box's: what a client asks for is not heard")
    func state() throws {
        let topology = try topology()
        let payload = Self.graph.instance(.v2).setting("properties.state", "Active")
        #expect(try Instance(payload, topology: { _ in topology }, at: someTime).state == .inactive)
    }

    @Test("mistakes are told all at once")
    func mistakes() throws {
        #expect(
            try mistakes(["@apiVersion": "2.0", "properties": ["topologyName": "nobody", "parameters": "none"]]) == [
                "PropertyRequired $.Name", "PropertyValueInvalidType $.Properties.Parameters",
                "ResourceValidationError $.Properties.TopologyName",
            ])
        #expect(
            try mistakes(["@apiVersion": "2.0", "name": "a", "properties": [:]])
                == ["PropertyRequired $.Properties.TopologyName"])
        #expect(try mistakes(["@apiVersion": "2.0", "name": "a"]) == ["PropertyRequired $.Properties.TopologyName"])
        #expect(
            try mistakes(["@apiVersion": "2.0", "name": "a b", "properties": ["topologyName": "CVRToAMSAsset"]]) == [
                "PropertyValueInvalidPattern $.Name", "ParameterValueRequired $.Properties.Parameters",
            ])
        let error = try #require(
            graphError { () throws(GraphError) in try Instance("text", topology: { _ in nil }, at: someTime) })
        #expect(error.code == "InvalidVersion")
    }

    @Test("under another topology it is judged again")
    func revalidation() throws {
        let topology = try topology()
        let instance = try Instance(Self.graph.instance(.v2), topology: { _ in topology }, at: someTime)
        #expect(instance.mistakes(in: topology).isEmpty)
        let payload = Self.graph.payload(.v2).setting(
            "properties.parameters.12", ["name": "added", "type": "String"])
        let asking = try Topology(payload, at: someTime)
        #expect(instance.mistakes(in: asking).map(\.code) == ["ParameterValueRequired"])
    }
}
