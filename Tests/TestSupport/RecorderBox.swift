import Foundation
package import Messages

/// A box that cvrctl can be run against.
package protocol RecorderBox: Sendable {
    func run(_ arguments: [String], input: String, within limit: Duration) async throws -> Finished
}

extension RecorderBox {
    /// Runs `cvrctl --json`, which has to succeed, and decodes what it prints.
    package func ask<Answer: Decodable>(_ arguments: String..., as type: Answer.Type) async throws -> Answer {
        let done = try await run(["--json"] + arguments, input: "", within: .seconds(60))
        guard done.ending == .exited(0) else {
            throw Missed("cvrctl \(arguments.joined(separator: " ")): \(done.ending) \(done.text)\(done.errors)")
        }
        do {
            return try JSONDecoder().decode(type, from: done.output)
        } catch {
            throw Missed("cvrctl \(arguments.joined(separator: " ")) prints \(done.text): \(error)")
        }
    }

    package func status() async throws -> Admin.Status { try await ask("status", as: Admin.Status.self) }

    package func status(of camera: String) async throws -> Admin.Camera {
        guard let found = try await status().cameras.first(where: { $0.name == camera }) else {
            throw Missed("status does not list \(camera)")
        }
        return found
    }

    package func segments(of camera: String) async throws -> [Listing.Segment] {
        try await ask("segments", camera, as: [Listing.Segment].self)
    }

    package func gaps(of camera: String) async throws -> [Listing.Gap] {
        try await ask("gaps", camera, as: [Listing.Gap].self)
    }

    package func coverage(of camera: String, from: String, to: String) async throws -> Listing.Coverage {
        try await ask("coverage", camera, "--from", from, "--to", to, as: Listing.Coverage.self)
    }

    /// Waits until each of the cameras is in a state.
    package func until(
        _ cameras: [String], are state: String, within limit: Duration = .seconds(40)
    ) async throws {
        try await eventually("\(cameras.joined(separator: ", ")) \(state)", within: limit) {
            let found = try await self.status().cameras.filter { cameras.contains($0.name) && $0.state == state }
            return found.count == cameras.count ? true : nil
        }
    }

    /// Waits until a camera has so many verified segments, and returns them.
    @discardableResult
    package func untilStored(
        _ count: Int, of camera: String, within limit: Duration = .seconds(60)
    ) async throws -> [Listing.Segment] {
        var refusal = ""
        do {
            return try await eventually("\(count) verified segments of \(camera)", within: limit, every: .seconds(1)) {
                do {
                    let stored = try await self.segments(of: camera).filter { $0.state == "verified" }
                    refusal = ""
                    return stored.count >= count ? stored : nil
                } catch {
                    // Nothing is known of a camera before its first segment, nor while the catalog is rebuilt.
                    refusal = "\(error)"
                    return nil
                }
            }
        } catch {
            throw Missed("\(error) \(refusal)")
        }
    }
}
