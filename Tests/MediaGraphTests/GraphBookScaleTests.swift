import JSON
import MediaGraph
import TestSupport
import Testing

/// A full box: 50 topologies, 1000 instances, of which 64 are active.
@Suite("Graph book: a full box")
struct GraphBookScaleTests {
    static let limit = Duration.milliseconds(10)

    static func full() -> BookBench {
        var bench = BookBench()
        for index in 0..<GraphLimits.topologies { _ = bench.call("GraphTopologySet", BookBench.topology("t\(index)")) }
        for index in 0..<GraphLimits.instances {
            _ = bench.call("GraphInstanceSet", BookBench.instance("camera-\(index)", of: "t\(index % 50)"))
        }
        for index in 0..<64 {
            _ = bench.call("GraphInstanceActivate", named: "camera-\(index)")
            _ = bench.book.activated("camera-\(index)", nil)
        }
        return bench
    }

    /// The best of twenty: what else the machine does is not the book's.
    static func time(_ body: () -> Void) -> Duration {
        (0..<20).map { _ in ContinuousClock().measure(body) }.min() ?? .zero
    }

    @Test("lists and gets within 10 ms, text included")
    func answers() {
        var bench = Self.full()
        var length = 0
        for method in ["GraphInstanceList", "GraphTopologyList", "GraphInstanceGet", "GraphTopologyGet"] {
            let payload = BookBench.json(
                #"{"@apiVersion":"2.0","name":"\#(method.contains("Instance") ? "camera-999" : "t49")"}"#)
            let took = Self.time {
                _ = bench.call(method, payload)
                length = bench.reply?.wholeText.utf8.count ?? 0
            }
            print("\(method) of \(GraphLimits.instances) instances: \(took), \(length) bytes")
            #expect(bench.reply?.status == 200 && took <= Self.limit, "\(method) took \(took)")
        }
    }

    @Test("comes back from what was written in less than a second")
    func restored() throws {
        let bench = Self.full()
        let topologies = (0..<GraphLimits.topologies).compactMap { bench.book.topology("t\($0)") }
        var book = GraphBook()
        let took = ContinuousClock().measure {
            for topology in topologies { book.restore(topology: topology) }
            for instance in bench.book.allInstances { book.restore(instance: instance) }
        }
        print("restoring \(GraphLimits.instances) instances: \(took)")
        #expect(book.allInstances == bench.book.allInstances && took < .seconds(1))
        #expect(book.allInstances.count { $0.state == .active } == 64)
    }
}
