import JSON
import MediaGraph
import Recording
import TestSupport
import Testing

/// The book against a model of a few lines, in stories of their own seed.
@Suite("Graph book: properties")
struct GraphBookPropertyTests {
    /// What LVA's table says, without a payload, a list or a reply of its own.
    struct Model {
        var topologies: Set<String> = []
        var instances: [String: (topology: String, state: InstanceState)] = [:]

        mutating func topology(_ verb: String, _ name: String) -> String {
            let users = instances.values.filter { $0.topology == name }
            switch verb {
            case "Set":
                if users.contains(where: { $0.state != .inactive }) { return "409 GraphTopologyInUse" }
                return topologies.insert(name).inserted ? "201" : "200"
            case "Get": return topologies.contains(name) ? "200" : "404 NotFound"
            default:
                if !topologies.contains(name) { return "204" }
                if !users.isEmpty { return "409 GraphTopologyInUse" }
                topologies.remove(name)
                return "200"
            }
        }

        mutating func set(_ name: String, of topology: String) -> String {
            guard topologies.contains(topology) else { return "409 ResourceValidationError" }
            let old = instances[name]
            if let old, old.state != .inactive { return "409 OperationNotAllowedInState" }
            instances[name] = (topology, .inactive)
            return old == nil ? "201" : "200"
        }

        mutating func instance(_ verb: String, _ name: String) -> String {
            guard let (_, state) = instances[name] else { return verb == "Delete" ? "204" : "404 NotFound" }
            switch (verb, state) {
            case ("Get", _), ("Activate", .active), ("Deactivate", .inactive): return "200"
            case ("Activate", .activating): return "activate joined"
            case ("Deactivate", .deactivating): return "deactivate joined"
            case ("Activate", .inactive):
                instances[name]?.state = .activating
                return "activate new"
            case ("Deactivate", .active):
                instances[name]?.state = .deactivating
                return "deactivate new"
            case ("Delete", .inactive):
                instances[name] = nil
                return "200"
            default: return "409 OperationNotAllowedInState"
            }
        }

        /// The engine is done with it.
        mutating func finish(_ name: String, fails: Bool) {
            switch instances[name]?.state {
            case .activating: instances[name]?.state = fails ? .inactive : .active
            case .deactivating: instances[name]?.state = .inactive
            default: break
            }
        }
    }

    static let failure = GraphError(status: 503, code: "ServerBusy", message: "No room.")

    @Test("says what the model says, whatever is called in whatever order")
    func stories() {
        for seed in 0..<60 {
            var dice = Dice(seed: UInt64(seed))
            var (bench, model) = (BookBench(), Model())
            for _ in 0..<120 { Self.step(&bench, &model, &dice, seed) }
            #expect(bench.names("GraphInstanceList").map { $0.lowercased() } == model.instances.keys.sorted())
            #expect(bench.names("GraphTopologyList").map { $0.lowercased() } == model.topologies.sorted())
            for (name, (_, state)) in model.instances { #expect(bench.book.instance(name)?.state == state) }
        }
    }

    static func step(
        _ bench: inout BookBench, _ model: inout Model, _ dice: inout Dice, _ seed: Int
    ) {
        let topology = dice.pick(["ta", "tb", "tc"]), instance = dice.pick(["ia", "ib", "ic", "id"])
        let called = dice.pick([topology, topology.uppercased()]),
            named = dice.pick([instance, "I" + instance.dropFirst()])
        let verb = dice.pick(["Set", "Get", "Delete", "Activate", "Deactivate", "finish"])
        switch (verb, Bool.random(using: &dice)) {
        case ("Set", true):
            let said = bench.call("GraphTopologySet", BookBench.topology(called))
            #expect(said == model.topology("Set", topology), "seed \(seed)")
        case ("Set", false):
            let said = bench.call("GraphInstanceSet", BookBench.instance(named, of: called))
            #expect(said == model.set(instance, of: topology), "seed \(seed)")
        case ("Get", true), ("Delete", true):
            let said = bench.call("GraphTopology\(verb)", named: called)
            #expect(said == model.topology(verb, topology), "seed \(seed)")
        case ("finish", let fails):
            _ = bench.book.activated(named, fails ? failure : nil)
            _ = bench.book.deactivated(named)
            model.finish(instance, fails: fails)
        // Both were told: an instance that became active is not deactivated by that.
        default:
            let said = bench.call("GraphInstance\(verb)", named: named)
            #expect(said == model.instance(verb, instance), "seed \(seed)")
        }
    }

    @Test("any payload gets an answer of LVA's")
    func payloads() {
        var dice = Dice(seed: 7)
        let statuses: Set<Int64> = [200, 201, 204, 400, 404, 409]
        let valid = [BookBench.topology("ta"), BookBench.instance("ia", of: "ta")].map(BookBench.json)
        var bench = BookBench()
        for _ in 0..<4000 {
            let method = dice.pick(GraphMethod.allCases)
            var payload = dice.below(3) == 0 ? dice.json() : dice.mutate(dice.pick(valid))
            if case .object(var members) = payload, Bool.random(using: &dice) {
                members["@apiVersion"] = .string("2.0")
                payload = .object(members)
            }
            _ = bench.call(method.rawValue, payload)
            if let reply = bench.reply { #expect(statuses.contains(reply.status), "\(method): \(payload.text)") }
        }
    }
}
