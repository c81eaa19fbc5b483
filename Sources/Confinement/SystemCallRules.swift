/// Which system calls a process may make, and with which arguments, as pure data.
package struct SystemCallRules: Hashable, Sendable {
    package enum Answer: Hashable, Sendable {
        case allow
        /// As if the kernel did not want to: for what libraries try and do without.
        case refuse(errno: Int32)
        /// The process dies of SIGSYS, having said which call it was.
        case end
    }

    /// What one argument must be; the kernel's `int`s are compared as such.
    package enum Condition: Hashable, Sendable {
        case equals(_ argument: UInt32, Int32)
        case differs(_ argument: UInt32, Int32)
        /// `argument & mask == value`
        case masked(_ argument: UInt32, mask: UInt64, UInt64)
    }

    /// A call for which all conditions hold; several rules for one call are alternatives.
    package struct Rule: Hashable, Sendable {
        var call: String
        var conditions: [Condition] = []
        var answer = Answer.allow
    }

    /// For every call that no rule names.
    var otherwise: Answer
    var rules: [Rule]
}

extension SystemCallRules {
    static func rules(_ calls: String, _ answer: Answer = .allow) -> [Rule] {
        calls.split(whereSeparator: \.isWhitespace).map { Rule(call: String($0), answer: answer) }
    }

    /// One rule for each of the values that an argument may have.
    static func rules(_ call: String, argument: UInt32, oneOf values: [Int32]) -> [Rule] {
        values.map { Rule(call: call, conditions: [.equals(argument, $0)]) }
    }
}
