import ArgumentParser
import JSON
import Messages

struct GraphVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Manage media graphs, as Live Video Analytics has them.",
        subcommands: [TopologyVerbs.self, InstanceVerbs.self])

    @OptionGroup var global: GlobalOptions
}

struct TopologyVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topology", abstract: "List, show, set or delete topologies.",
        subcommands: [List.self, Get.self, Set.self, Delete.self])

    @OptionGroup var global: GlobalOptions

    struct List: GraphVerb {
        static let configuration = CommandConfiguration(abstract: "List the topologies.")

        @OptionGroup var global: GlobalOptions

        func call() -> Admin.GraphCall { .of("GraphTopologyList") }

        func words(_ answer: GraphAnswer, for terminal: Terminal) -> String {
            answer.table(
                [("TOPOLOGY", ["name"], 0), ("MODIFIED", ["systemData", "lastModifiedAt"], 2)]
                    + [("DESCRIPTION", ["properties", "description"], 1)],
                whenEmpty: "No topologies. Add one: cvrctl graph topology set FILE\n", for: terminal)
        }
    }

    struct Get: GraphVerb {
        static let configuration = CommandConfiguration(abstract: "Print a topology as JSON; secrets are left out.")

        @OptionGroup var topology: NamedTopology
        @OptionGroup var global: GlobalOptions

        func call() -> Admin.GraphCall { .of("GraphTopologyGet", topology.name) }
        func words(_ answer: GraphAnswer, for terminal: Terminal) -> String { answer.lines }
    }

    struct Set: GraphVerb {
        static let configuration = CommandConfiguration(abstract: "Create or update a topology.")

        @OptionGroup var file: GraphFile
        @OptionGroup var global: GlobalOptions

        func call() throws -> Admin.GraphCall { .of("GraphTopologySet", try file.payload()) }

        func words(_ answer: GraphAnswer, for terminal: Terminal) -> String {
            "Topology \(answer.name) \(answer.status == 201 ? "created" : "updated").\n"
        }
    }

    struct Delete: GraphVerb {
        static let configuration = CommandConfiguration(abstract: "Delete a topology that no instance refers to.")

        @OptionGroup var topology: NamedTopology
        @OptionGroup var global: GlobalOptions

        func call() -> Admin.GraphCall { .of("GraphTopologyDelete", topology.name) }

        func words(_ answer: GraphAnswer, for terminal: Terminal) -> String {
            answer.status == 204
                ? "There is no topology \(topology.name).\n" : "Topology \(topology.name) deleted.\n"
        }
    }
}

struct InstanceVerbs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instance", abstract: "List, show, set, delete, activate or deactivate instances.",
        subcommands: [List.self, Get.self, Set.self, Delete.self, Activate.self, Deactivate.self])

    @OptionGroup var global: GlobalOptions

    struct List: GraphVerb {
        static let configuration = CommandConfiguration(abstract: "List the instances.")

        @OptionGroup var global: GlobalOptions

        func call() -> Admin.GraphCall { .of("GraphInstanceList") }

        func words(_ answer: GraphAnswer, for terminal: Terminal) -> String {
            answer.table(
                [("INSTANCE", ["name"], 0), ("STATE", ["properties", "state"], 0)]
                    + [("TOPOLOGY", ["properties", "topologyName"], 1)]
                    + [("DESCRIPTION", ["properties", "description"], 2)],
                whenEmpty: "No instances. Add one: cvrctl graph instance set FILE\n", for: terminal)
        }
    }

    struct Get: GraphVerb {
        static let configuration = CommandConfiguration(abstract: "Print an instance as JSON; secrets are left out.")

        @OptionGroup var instance: NamedInstance
        @OptionGroup var global: GlobalOptions

        func call() -> Admin.GraphCall { .of("GraphInstanceGet", instance.name) }
        func words(_ answer: GraphAnswer, for terminal: Terminal) -> String { answer.lines }
    }

    struct Set: GraphVerb {
        static let configuration = CommandConfiguration(abstract: "Create an instance, or update an inactive one.")

        @OptionGroup var file: GraphFile
        @OptionGroup var global: GlobalOptions

        func call() throws -> Admin.GraphCall { .of("GraphInstanceSet", try file.payload()) }

        func words(_ answer: GraphAnswer, for terminal: Terminal) -> String {
            answer.status == 201
                ? "Instance \(answer.name) created. To record it: cvrctl graph instance activate \(answer.name)\n"
                : "Instance \(answer.name) updated.\n"
        }
    }

    struct Delete: GraphVerb {
        static let configuration = CommandConfiguration(
            abstract: "Delete an inactive instance; its footage stays under its retention.")

        @OptionGroup var instance: NamedInstance
        @OptionGroup var global: GlobalOptions

        func call() -> Admin.GraphCall { .of("GraphInstanceDelete", instance.name) }

        func words(_ answer: GraphAnswer, for terminal: Terminal) -> String {
            answer.status == 204
                ? "There is no instance \(instance.name).\n" : "Instance \(instance.name) deleted.\n"
        }
    }

    struct Activate: GraphVerb {
        static let configuration = CommandConfiguration(abstract: "Start recording an instance; survives restarts.")

        @OptionGroup var instance: NamedInstance
        @OptionGroup var global: GlobalOptions

        var wait: String? { "Activating \(instance.name). Interrupting this command does not stop that." }
        func call() -> Admin.GraphCall { .of("GraphInstanceActivate", instance.name) }

        func words(_ answer: GraphAnswer, for terminal: Terminal) -> String {
            "Instance \(instance.name) is active. Watch it: cvrctl status\n"
        }
    }

    struct Deactivate: GraphVerb {
        static let configuration = CommandConfiguration(
            abstract: "Stop recording an instance, and wait until all of its footage is stored.")

        @OptionGroup var instance: NamedInstance
        @OptionGroup var global: GlobalOptions

        var wait: String? {
            "Waiting until all footage of \(instance.name) is stored. Interrupting this command does not stop that."
        }

        func call() -> Admin.GraphCall { .of("GraphInstanceDeactivate", instance.name) }

        func words(_ answer: GraphAnswer, for terminal: Terminal) -> String {
            "Instance \(instance.name) is inactive.\n"
        }
    }
}

struct NamedTopology: ParsableArguments {
    @Argument(help: "The topology's name.", completion: .graphs("topology"))
    var name: String
}

struct NamedInstance: ParsableArguments {
    @Argument(help: "The instance's name.", completion: .graphs("instance"))
    var name: String
}

extension CompletionKind {
    /// Asked for when they are needed; where cvrd does not answer there are none.
    static func graphs(_ kind: String) -> CompletionKind {
        .shellCommand("cvrctl graph \(kind) list 2>/dev/null | awk 'NR > 1 { print $1 }'")
    }
}
