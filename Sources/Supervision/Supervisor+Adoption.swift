package import Messages
import Recording

/// New hardware takes over what a lost box stored: cvr-sync does, and cameras go on with numbers above its own.
extension Supervisor {
    /// Cameras that record now take a higher number with their next session.
    package func raiseSessions(_ adopted: [Listing.AdoptedCamera]) async {
        for camera in adopted {
            guard let name = CameraName(camera.name) else { continue }
            if let row = rows[name] {
                await row.link.raise(session: camera.session)
            } else {
                let mark = SessionMark(name, places)
                // A camera that is added here later begins at 1 when this fails: a number is then used twice.
                try? await offPool { if try mark.read() < camera.session { try mark.write(camera.session) } }
            }
        }
    }
}
