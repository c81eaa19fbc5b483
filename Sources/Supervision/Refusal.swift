package import Recording

/// Why a camera is not started until the operator acts.
package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    package let fault: Fault

    package init(code: String, _ message: String, nextStep: String) {
        fault = Fault(code: code, message: message, nextStep: nextStep)
    }

    package var description: String { "\(fault.message). \(fault.nextStep)" }
}
