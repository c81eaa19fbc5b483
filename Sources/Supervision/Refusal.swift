import Recording

/// Why a camera is not started until the operator acts.
struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    let fault: Fault

    init(code: String, _ message: String, nextStep: String) {
        fault = Fault(code: code, message: message, nextStep: nextStep)
    }

    var description: String { "\(fault.message). \(fault.nextStep)" }
}
