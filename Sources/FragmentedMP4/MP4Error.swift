/// Why bytes are not a segment, or a stream cannot become one.
package struct MP4Error: Error, Hashable, Sendable, CustomStringConvertible {
    package var operation: String
    package var thing: String
    package var nextStep: String

    package init(_ operation: String, _ thing: String, nextStep: String) {
        self.operation = operation
        self.thing = thing
        self.nextStep = nextStep
    }

    package var description: String { "\(operation): \(thing); \(nextStep)" }
}
