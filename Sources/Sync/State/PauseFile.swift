/// `<state>/sync/paused`: whether an operator wants nothing uploaded; outlives cvr-sync and the box.
struct PauseFile {
    private struct Contents: Codable {
        var isPaused: Bool
    }

    private let file: StateFile<Contents>

    init(_ folder: SyncFolder) { file = StateFile(path: folder.path + "/paused") }

    /// Without a file nothing is paused.
    func read() throws(SyncError) -> Bool { try file.read()?.isPaused ?? false }

    func write(_ isPaused: Bool) throws { try file.write(Contents(isPaused: isPaused)) }
}
