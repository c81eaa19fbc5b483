import Isolation
import Messages
import Recording
import YAMLConfiguration

/// What workers leave whose camera is not in the table any more.
extension Supervisor {
    /// Ends workers whose camera is not configured any more, or that of `camera` alone.
    func removeStrays(only camera: CameraName? = nil) async {
        for await _ in hasBegun {}
        // Of instances that could not be read, workers record on.
        guard graph.isLoaded else { return }
        let (places, known) = (places, Set(box.cameras.keys).union(graph.leftAlone))
        // A runtime directory that cannot be read holds no workers.
        let strays = try? await offPool { Strays.find(places, except: known) }
        await withDiscardingTaskGroup { group in
            // One that came into the table meanwhile is none.
            for stray in strays ?? [] where box.cameras[stray.camera] == nil && (camera ?? stray.camera) == stray.camera
            {
                if stray.process != nil {
                    events.append("workerRemoved", camera: stray.camera, "its camera is not configured any more")
                }
                group.addTask {
                    if let process = stray.process { await Leftover.end(process) }
                    await self.forget([stray.camera])
                }
            }
        }
    }

    /// Removes what workers of cameras that are not configured any more left in the runtime directory.
    func forget(_ names: [CameraName]) async {
        let (places, gone) = (places, names.filter { rows[$0] == nil && box.cameras[$0] == nil })
        guard !gone.isEmpty else { return }
        await offPool(atMost: .seconds(5)) { for name in gone { Strays.removeDirectory(of: name, places) } }
    }
}
