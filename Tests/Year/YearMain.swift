import Foundation
import Recording

/// Measures what viewers ask of a long history: `contrib/bench/year` says how to run it.
///
/// `cvr-year FOLDER CAMERAS DAYS`: makes the catalog below FOLDER unless it is there, and prints a line for each
/// question. Exits with 1 when an answer is a wrong one or memory grows, and with 2 when a median is over its limit.
@main
enum YearMain {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let folder = arguments.first, arguments.count == 3,
            let cameras = Int64(arguments[arguments.startIndex + 1]), cameras > 0,
            let days = Int64(arguments[arguments.startIndex + 2]), days > 1
        else {
            print("usage: cvr-year FOLDER CAMERAS DAYS")
            exit(64)
        }
        do {
            let year = try Year(folder: folder, cameras: cameras, days: days)
            try year.make()
            exit(try await ServedYear.run(year) { try Questions(served: $0).ask() } ? 0 : 2)
        } catch {
            print("cvr-year: \(error)")
            exit(1)
        }
    }
}
