import JSON
import MediaGraph
import Recording
import TestSupport
import Testing

/// Whatever JSON is sent, the answer is a topology or LVA's error, and what is kept can be read again.
@Suite("arbitrary graphs")
struct ArbitraryGraphTests {
    /// What every error must be.
    private func judge(_ error: GraphError) {
        if error.code == "InvalidVersion" { return #expect(error.status == 400) }
        let isConflict = error.code == "Conflict" && error.details.map(\.code) == ["ResourceValidationError"]
        #expect(error.status == 409 ? isConflict : error.status == 400 && error.code == "InvalidResource")
        #expect(!error.details.isEmpty)
        for detail in error.details {
            #expect(DetailCode(rawValue: detail.code) != nil)
            #expect(detail.target?.hasPrefix("$") == true)
            #expect(detail.message.last == "." && (20..<1500).contains(detail.message.count))
        }
    }

    @Test("any JSON", arguments: 0..<4)
    func anyJSON(seed: UInt64) {
        var dice = Dice(seed: seed)
        var versions = 0
        for _ in 0..<500 {
            var value = dice.object()
            if dice.below(4) > 0 { value = value.setting("properties", dice.object()) }
            value = value.setting("@apiVersion", dice.below(9) > 0 ? "2.0" : dice.json())
            let topology = graphError { () throws(GraphError) in try Topology(value, at: someTime) }
            let instance = graphError { () throws(GraphError) in
                try Instance(value, topology: { _ in nil }, at: someTime)
            }
            for error in [topology, instance].compactMap(\.self) {
                judge(error)
                versions += error.code == "InvalidVersion" ? 1 : 0
            }
        }
        #expect(versions < 200, "too few were more than a wrong version")
    }

    @Test("changed samples: valid ones round-trip, go to disk and back, and give a plan or an error", arguments: 0..<4)
    func changedSamples(seed: UInt64) throws {
        var dice = Dice(seed: seed)
        var valid = 0
        for _ in 0..<400 {
            let (graph, form) = dice.pick(SampleGraph.spellings)
            var payload = graph.payload(form)
            for _ in 0...dice.below(3) { payload = dice.mutate(payload) }
            do throws(GraphError) {
                let topology = try Topology(payload, at: someTime)
                valid += 1
                let stored = try Topology(stored: topology.json(.sealed(seal)), open: unseal)
                #expect(stored == topology)
                #expect(stored.json(.hidden) == topology.json(.hidden))
                try run(topology, graph.instance(form), &dice)
            } catch { judge(error) }
        }
        #expect(valid > 50, "too few were valid to say anything: \(valid)")
    }

    private func run(_ topology: Topology, _ payload: JSONValue, _ dice: inout Dice) throws(GraphError) {
        var payload = payload.setting("properties.topologyName", .string(topology.name))
        if dice.below(2) == 0 { payload = dice.mutate(payload) }
        let instance = try Instance(payload, topology: { _ in topology }, at: someTime)
        let stored = try Instance(stored: instance.json(.sealed(seal)), open: unseal)
        #expect(stored == instance)
        let plan = try RecordingPlan.make(instance, of: topology)
        #expect(plan.instance == instance.name)
        #expect(plan.refusals.allSatisfy { $0.code == "ModuleValidationError" && $0.message.last == "." })
        guard plan.refusals.isEmpty else { return }
        #expect(plan.asset != nil || plan.file != nil)
        #expect(plan.takesAudio || plan.takesVideo)
    }

    @Test("any values of parameters: put in once, wherever they are asked for", arguments: 0..<4)
    func substitution(seed: UInt64) throws {
        var dice = Dice(seed: seed)
        let graph = SampleGraph.named("cvr-asset")
        for _ in 0..<150 {
            let names = ["one", "two", "three"]
            // A user name has no control characters.
            let values = names.map { _ in dice.text().replacing("\u{0}", with: "") }
            var written = ""
            var expected = ""
            for _ in 0..<dice.below(6) {
                let choice = dice.below(names.count + 1)
                let literal = dice.pick(["x", "$", "{", "}", "-", "ü"])
                written += choice < names.count ? "${\(names[choice])}" : literal + "."
                expected += choice < names.count ? values[choice] : literal + "."
            }
            let declared = JSONValue.array(
                [["name": "rtspUrl", "type": "String"]] + names.map { ["name": .string($0), "type": "String"] })
            let topology = try Topology(
                graph.payload(.v2).setting("properties.parameters", declared)
                    .setting("properties.sources.0.endpoint.credentials.username", .string(written))
                    .setting("properties.sources.0.endpoint.credentials.password", "${two}${one}"), at: someTime)
            let given = zip(names, values).map { name, value -> JSONValue in
                ["name": .string(name), "value": .string(value)]
            }
            let payload = graph.instance(.v2).setting(
                "properties.parameters", .array([["name": "rtspUrl", "value": "rtsp://a"]] + given))
            let instance = try Instance(payload, topology: { _ in topology }, at: someTime)
            let plan = try RecordingPlan.make(instance, of: topology)
            #expect(plan.source.username == Secret(expected))
            #expect(plan.source.password == Secret(values[1] + values[0]))
        }
    }
}
