import JSON
import MediaGraph
import Recording
import TestSupport
import Testing

@Suite("Graph book")
struct GraphBookTests {
    @Test(
        "other names are none of ours, and exact ones are wanted",
        arguments: ["graphTopologyList", "", "livePipelineGet"])
    func methods(name: String) {
        var bench = BookBench()
        #expect(bench.call(name, #"{"@apiVersion":"2.0"}"#) == "501 NotImplemented")
    }

    @Test("a payload is an object that names a version which is served", arguments: GraphMethod.allCases)
    func versions(method: GraphMethod) {
        var bench = BookBench()
        for payload in [nil, .null, .array([]), .string("2.0")] as [JSONValue?] {
            #expect(bench.call(method.rawValue, payload) == "400 PropertyValueInvalidType")
            #expect(bench.reply?.payload["error"]?["code"] == .string("BadRequest"))
        }
        for version in [#""3.0""#, "2.0", "null", #""""#] {
            let payload = #"{"name":"a","@apiVersion":\#(version)}"#
            #expect(bench.call(method.rawValue, payload) == "400 InvalidVersion", "\(version)")
        }
        #expect(bench.call(method.rawValue, #"{"name":"a"}"#) == "400 InvalidVersion")
        for version in ["1.0", "2.0"] {
            let said = bench.call(method.rawValue, #"{"name":"a","@APIVERSION":"\#(version)"}"#)
            #expect(!said.contains("InvalidVersion"), "\(said)")
        }
    }

    @Test("topologies are created, updated, shown and deleted; names stay as they were first given")
    func topologies() {
        var bench = BookBench()
        #expect(bench.call("GraphTopologySet", BookBench.topology("Graph")) == "201")
        #expect(bench.changes == [.topology("Graph")])
        let created = bench.reply?.payload["systemData"]
        #expect(created?["createdAt"] == created?["lastModifiedAt"])
        #expect(bench.call("GraphTopologySet", BookBench.topology("GRAPH")) == "200")
        let updated = bench.reply?.payload["systemData"]
        #expect(updated?["createdAt"] == created?["createdAt"])
        #expect(updated?["lastModifiedAt"] != created?["lastModifiedAt"])
        let stored = bench.reply
        #expect(bench.call("GraphTopologyGet", named: "graph") == "200")
        #expect(bench.reply?.payload == stored?.payload && bench.reply?.text == stored?.payload.text)
        #expect(bench.names("GraphTopologyList") == ["Graph"])
        #expect(bench.call("GraphTopologyDelete", named: "graph") == "200" && bench.reply?.payload == .null)
        #expect(bench.changes == [.topologyRemoved("Graph")])
        #expect(bench.call("GraphTopologyDelete", named: "graph") == "204" && bench.changes == [])
        #expect(bench.call("GraphTopologyGet", named: "graph") == "404 NotFound")
        #expect(bench.names("GraphTopologyList") == [] && bench.reply?.text == #"{"value":[]}"#)
    }

    @Test("instances likewise, and only of a topology that there is")
    func instances() {
        var bench = BookBench()
        #expect(bench.call("GraphInstanceSet", BookBench.instance("b", of: "Graph")) == "409 ResourceValidationError")
        _ = bench.call("GraphTopologySet", BookBench.topology("Graph"))
        for name in ["b", "C", "a"] {
            #expect(bench.call("GraphInstanceSet", BookBench.instance(name, of: "graph")) == "201")
        }
        #expect(bench.call("GraphInstanceSet", BookBench.instance("B", of: "graph")) == "200")
        #expect(bench.changes == [.instance("b")])
        #expect(bench.reply?.payload["properties"]?["state"] == .string("Inactive"))
        #expect(bench.names("GraphInstanceList") == ["a", "b", "C"])
        #expect(bench.call("GraphInstanceDelete", named: "b") == "200" && bench.changes == [.instanceRemoved("b")])
        #expect(bench.call("GraphInstanceDelete", named: "b") == "204")
        #expect(bench.call("GraphInstanceGet", named: "b") == "404 NotFound")
        #expect(bench.call("GraphInstanceDeactivate", named: "b") == "404 NotFound")
        #expect(bench.call("GraphTopologyDelete", named: "graph") == "409 GraphTopologyInUse")
        #expect(bench.reply?.text.contains("in use by a, C") == true)
    }

    @Test("methods of one want its name")
    func nameless() {
        var bench = BookBench()
        for method in GraphMethod.allCases where !method.rawValue.hasSuffix("Set") && !method.rawValue.hasSuffix("List")
        {
            for payload in ["{}", #"{"name":null}"#, #"{"name":7}"#, #"{"name":""}"#] {
                let versioned = payload.dropLast() + (payload == "{}" ? "" : ",") + #""@apiVersion":"1.0"}"#
                #expect(
                    bench.call(method.rawValue, String(versioned)) == "400 PropertyRequired", "\(method) \(payload)")
            }
        }
    }

    @Test("a list may be asked for in one order, and is whole", arguments: ["GraphTopologyList", "GraphInstanceList"])
    func lists(method: String) {
        var bench = BookBench()
        for (more, said) in [
            (#""@query":"$orderby=name asc""#, "200"), (#""@QUERY":"$OrderBy=Name  ASC ""#, "200"),
            (#""@query":"","@continuationToken":"""#, "200"), (#""@query":null,"@continuationToken":null"#, "200"),
            (#""@query":"$orderby=name""#, "200"),
            (#""@query":"$orderby=name desc""#, "400 PropertyValueNotSupported"),
            (#""@query":1"#, "400 PropertyValueNotSupported"),
            (#""@continuationToken":"7""#, "400 PropertyValueNotSupported"),
            (#""@continuationToken":{}"#, "400 PropertyValueNotSupported"),
        ] {
            #expect(bench.call(method, #"{"@apiVersion":"2.0",\#(more)}"#) == said, "\(more)")
        }
    }

    @Test("a topology changes under instances only as they allow")
    func changes() {
        let note = #"{"name":"note","type":"String""#
        var bench = BookBench()
        _ = bench.call("GraphTopologySet", BookBench.topology("Graph", parameters: note + #","default":"a"}"#))
        let given = BookBench.instance("Front", of: "Graph", parameters: #"{"name":"note","value":"seven"}"#)
        #expect(bench.call("GraphInstanceSet", given) == "201")
        for (parameters, said) in [
            ("", "409 ResourceValidationError"),  // one that is given is gone
            (note + #"},{"name":"new","type":"Int"}"#, "409 ResourceValidationError"),  // and it has no default
            (#"{"name":"note","type":"Int"}"#, "409 ResourceValidationError"),
            (note + #"},{"name":"new","type":"Int","default":"1"}"#, "200"),
        ] {
            let topology = BookBench.topology("graph", parameters: parameters)
            #expect(bench.call("GraphTopologySet", topology) == said, "\(parameters)")
        }
        #expect(bench.changes == [.topology("Graph")])
    }

    @Test("a value that was a secret is never shown, whatever becomes of its topology")
    func secrets() throws {
        let secret = #"{"name":"note","type":"SecretString"}"#, plain = #"{"name":"note","type":"String"}"#
        var bench = BookBench()
        _ = bench.call("GraphTopologySet", BookBench.topology("Graph", parameters: plain))
        let given = BookBench.instance("Front", of: "Graph", parameters: #"{"name":"note","value":"s3cret"}"#)
        #expect(bench.call("GraphInstanceSet", given) == "201" && bench.reply?.text.contains("s3cret") == true)
        // From now on it is one.
        #expect(bench.call("GraphTopologySet", BookBench.topology("Graph", parameters: secret)) == "200")
        #expect(bench.changes == [.instance("Front"), .topology("Graph")])
        for method in ["GraphInstanceGet", "GraphInstanceList"] {
            _ = bench.call(method, named: "Front")
            #expect(bench.reply?.text.contains("Front") == true && bench.reply?.text.contains("s3cret") == false)
        }
        #expect(
            bench.call("GraphTopologySet", BookBench.topology("Graph", parameters: plain))
                == "409 ResourceValidationError")
        #expect(bench.reply?.text.contains("s3cret") == false)
        #expect(bench.call("GraphInstanceSet", given) == "200" && bench.reply?.text.contains("s3cret") == false)
    }

    @Test("names of cameras are taken by whoever has them, when an instance is made and when it is activated")
    func taken() {
        var bench = BookBench()
        _ = bench.call("GraphTopologySet", BookBench.topology("Graph"))
        bench.taken = ["front": "cvr.yaml"]
        #expect(
            bench.call("GraphInstanceSet", BookBench.instance("FRONT", of: "Graph")) == "409 ResourceValidationError")
        bench.taken = [:]
        #expect(bench.call("GraphInstanceSet", BookBench.instance("FRONT", of: "Graph")) == "201")
        bench.taken = ["front": "cvr.yaml"]
        #expect(bench.call("GraphInstanceActivate", named: "front") == "409 ResourceValidationError")
        #expect(bench.book.instance("front")?.state == .inactive)
    }

    @Test("cameras of cvr.yaml are instances of cvr-asset, read-only; it is listed while something uses it")
    func cameras() {
        var bench = BookBench()
        #expect(bench.call("GraphTopologyGet", named: "CVR-Asset") == "200")
        #expect(bench.names("GraphTopologyList") == [])
        bench.show(camera: "yard", .active)
        #expect(bench.names("GraphTopologyList") == ["cvr-asset"])
        #expect(bench.call("GraphInstanceGet", named: "Yard") == "200")
        let shown = bench.reply?.payload["properties"]
        #expect(shown?["topologyName"] == .string("cvr-asset") && shown?["state"] == .string("Active"))
        #expect(
            shown?["parameters"]?.text == #"""
                [{"name":"rtspUrl","value":"rtsp://10.0.0.21/"},{"name":"segmentLength","value":"PT2S"},{"name":"rtspUserName","value":"admin"},{"name":"localMediaCacheMaximumSizeMiB","value":"5120"}]
                """#)
        _ = bench.call("GraphInstanceSet", BookBench.instance("Front", of: "CVR-ASSET"))
        #expect(bench.names("GraphInstanceList") == ["Front", "yard"])
        let fixed = "409 ResourceValidationError"
        #expect(bench.call("GraphInstanceSet", BookBench.instance("Yard", of: "cvr-asset")) == fixed)
        #expect(bench.call("GraphInstanceDelete", named: "YARD") == fixed)
        #expect(bench.reply?.text.contains("cvrctl camera") == true)
        #expect(bench.call("GraphTopologySet", BookBench.topology("cvr-asset")) == fixed)
        #expect(bench.call("GraphTopologyDelete", named: "cvr-asset") == fixed)
        bench.book.show(cameras: [])
        #expect(bench.names("GraphTopologyList") == ["cvr-asset"])
        _ = bench.call("GraphInstanceDelete", named: "front")
        #expect(bench.names("GraphTopologyList") == [] && bench.names("GraphInstanceList") == [])
    }

    @Test("a camera of cvr.yaml is shown with what it says of asset, transport and cache")
    func cameraParameters() throws {
        var bench = BookBench()
        let name = try #require(CameraName("yard"))
        for asset in [nil, "yard", "plant-yard"] {
            let shown = Instance.camera(
                name, url: "rtsp://a/", username: "", segmentLength: .seconds(30), cacheBytes: nil, asset: asset,
                transport: "udp", cachePath: "/var/cache/yard", state: .active, since: bench.now)
            bench.book.show(cameras: [try #require(shown)])
            #expect(bench.call("GraphInstanceGet", named: "yard") == "200")
            let more = asset == "plant-yard" ? #"{"name":"assetName","value":"plant-yard"},"# : ""
            #expect(
                bench.reply?.payload["properties"]?["parameters"]?.text == #"""
                    [{"name":"rtspUrl","value":"rtsp://a/"},{"name":"segmentLength","value":"PT30S"},{"name":"transport","value":"udp"},\#(more){"name":"localMediaCachePath","value":"/var/cache/yard"}]
                    """#)
        }
    }

    @Test("an instance of cvr-asset records to an asset of its own name, or to the one it names")
    func builtIn() throws {
        var bench = BookBench()
        #expect(bench.call("GraphInstanceSet", BookBench.instance("Front", of: "cvr-asset")) == "201")
        let named = #"{"name":"assetName","value":"lobby"},{"name":"transport","value":"http"}"#
        let other = BookBench.instance("Back", of: "CVR-asset", parameters: named)
        #expect(bench.call("GraphInstanceSet", other) == "201")
        let plans = try ["front", "back"].map { try bench.book.plan(of: $0) }
        #expect(plans.map { $0.asset?.pattern.resolve(at: bench.now) } == ["Front", "lobby"])
        #expect(plans.map(\.source.transport) == [.tcp, .http])
    }

    @Test("a box takes 50 topologies and 1000 instances")
    func quotas() {
        var bench = BookBench()
        for index in 0..<GraphLimits.topologies {
            #expect(bench.call("GraphTopologySet", BookBench.topology("t\(index)")) == "201")
        }
        #expect(bench.call("GraphTopologySet", BookBench.topology("t50")) == "409 ResourceValidationError")
        #expect(bench.call("GraphTopologySet", BookBench.topology("t49")) == "200")
        for index in 0..<GraphLimits.instances {
            _ = bench.call("GraphInstanceSet", BookBench.instance("i\(index)", of: "t\(index % 50)"))
        }
        #expect(bench.call("GraphInstanceSet", BookBench.instance("more", of: "t1")) == "409 ResourceValidationError")
        #expect(bench.call("GraphInstanceSet", BookBench.instance("i999", of: "t1")) == "200")
        #expect(bench.names("GraphInstanceList").count == 1000)
    }
}
