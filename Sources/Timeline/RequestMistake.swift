package import Recording

/// Why a request is not answered: what is wrong with it, and how to ask instead.
package struct RequestMistake: Error, Hashable, Sendable, CustomStringConvertible {
    /// lowerCamelCase, stable, for scripts.
    package let code: String
    package let message: String
    package let nextStep: String

    package init(_ code: String, _ message: String, nextStep: String) {
        self.code = code
        self.message = message
        self.nextStep = nextStep
    }

    package var description: String { "\(message): \(nextStep)" }

    /// A parameter that must be there is not.
    static func missing(_ name: String, nextStep: String) -> RequestMistake {
        RequestMistake("missingParameter", "\(name) is missing", nextStep: nextStep)
    }

    /// A parameter that has another form.
    static func invalid(_ name: String, _ text: some StringProtocol, nextStep: String) -> RequestMistake {
        // What is said back is as short as what could have been meant, and never another header or line.
        let shown = text.unicodeScalars.prefix(64).map { $0.isASCII && $0.value >= 32 ? Character($0) : "?" }
        return RequestMistake("invalidParameter", "\(name) is '\(String(shown))'", nextStep: nextStep)
    }
}

/// Answers of the archive about one camera that requests need, as functions; each may throw.
package struct FootageQuestions {
    package typealias Span = (start: WallTime, end: WallTime)

    /// Start of the first and end of the last footage that can be played; nil without any.
    package let firstAndLast: () throws -> (WallTime, WallTime)?
    /// Any footage between two moments.
    package let hasFootage: (_ from: WallTime, _ to: WallTime) throws -> Bool
    /// What is recorded between two moments: ascending, apart from one another by gaps.
    package let spans: (_ from: WallTime, _ to: WallTime) throws -> [Span]

    package init(
        firstAndLast: @escaping () throws -> (WallTime, WallTime)?,
        hasFootage: @escaping (_ from: WallTime, _ to: WallTime) throws -> Bool,
        spans: @escaping (_ from: WallTime, _ to: WallTime) throws -> [Span]
    ) {
        self.firstAndLast = firstAndLast
        self.hasFootage = hasFootage
        self.spans = spans
    }

    /// `spans`, none of them reaching beyond what was asked for.
    func clippedSpans(_ from: WallTime, _ to: WallTime) throws -> [Span] {
        try spans(from, to).map { (max(from, $0.start), min(to, $0.end)) }.filter { $0.0 < $0.1 }
    }
}
