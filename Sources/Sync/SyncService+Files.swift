import Recording

/// Files of sessions, beside uploads and caches.
extension SyncService {
    /// Once a second: who waits for a file waits no longer.
    func keepFiles() async {
        while !Task.isCancelled, !isFinishing {
            if let halves {
                do {
                    try await halves.cache.enterNewsOfFiles()
                    try await halves.files.run(halves.work)
                    if let sandbox, await halves.files.isOutside(sandbox, halves.work) {
                        endOutdated("a folder that files are written to is another one, or is there now")
                    }
                    progress.clear(.filing)
                } catch {
                    await failed(error, .filing, halves.work.catalog)
                }
            }
            // Cancelled: the loop's condition ends it.
            try? await Task.sleep(for: .seconds(1))
        }
    }
}
