import Foundation

/// What an attacker in a worker's place (`Tests/Attacker`) found out.
package struct AttackReport: Sendable {
    /// One thing that it tried, free and shut in.
    package struct Attempt: Hashable, Sendable {
        package let name: String
        package let free: String
        package let confined: String

        /// A call's errno, or the death that the filter gives: an attempt that hung or crashed was refused by nobody.
        package var isRefused: Bool { confined.hasPrefix("errno ") || confined == "signal \(SIGSYS)" }
        /// Part of a worker's work: it has to work shut in as well.
        package var isOwn: Bool { name.hasPrefix("own.") }
    }

    /// What its sandbox was.
    package let sandbox: String
    package let attempts: [Attempt]

    /// Reads the report out of an attacker's run directory; one that is not whole is an error.
    package init(in directory: String) throws {
        func lines(_ name: String) throws -> [Substring] {
            try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8).split(separator: "\n")
        }
        sandbox = String(try lines("sandbox").first ?? "")
        attempts = try lines("attack").map { line in
            let fields = line.split(separator: "\t").map(String.init)
            guard fields.count == 3 else { throw Missed("an attempt with three fields: \(line)") }
            return Attempt(name: fields[0], free: fields[1], confined: fields[2])
        }
        guard attempts.count == Self.count, Set(attempts.map(\.name)).count == Self.count else {
            throw Missed("\(Self.count) attempts; there are \(attempts.count)")
        }
    }

    /// Of `Attempt.all` in the attacker.
    package static let count = 118

    package subscript(name: String) -> Attempt? { attempts.first { $0.name == name } }

    /// What did not go as it has to for whoever is shut in.
    package var breaches: [Attempt] { attempts.filter { $0.isOwn ? $0.confined != "worked" : !$0.isRefused } }
}
