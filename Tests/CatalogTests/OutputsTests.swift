import Catalog
import Recording
import Testing

/// Sessions with an asset or a file of their own.
extension CatalogTests {
    private func session(_ number: Int64, asset: String = "", file: String = "", goesToStore: Bool = true) -> Fact {
        var row = SessionRow(session: number, anchor: epoch, quality: .synchronised, codecs: "avc1")
        (row.asset, row.file, row.goesToStore) = (asset, file, goesToStore)
        return .sessionStarted(row)
    }

    @Test("what goes into a file alone waits for no store, whichever of session and segment is entered first")
    func filesAlone() throws {
        let catalog = try open()
        let camera = CameraRow(name: front, asset: "archive", retention: nil)
        try catalog.apply([session(1, file: "one", goesToStore: false)], camera)
        try catalog.enter([row(1, 0), row(2, 0), row(3, 0)])
        try catalog.apply([session(2, file: "two", goesToStore: false), session(3, asset: "a", file: "three")], camera)
        #expect(try catalog.segments(front, .pending, limit: 9).map(\.id.session) == [3])
        #expect(try catalog.holdings(front).pendingSegments == 1)
        #expect(try catalog.waiting(front, .pending, after: nil, limit: 9).map(\.id.session) == [3])
        #expect(try catalog.unfiledSessions(front, limit: 9).map(\.file) == ["one", "two", "three"])
        #expect(try catalog.unfiledBytes(front) == row(1, 0).bytes * 2)
        #expect(try catalog.segments(front, .filed, limit: 9) == [])
        #expect(try catalog.evictableWatermark(front, below: nil) == nil)
        try catalog.noteFiled(front, session: 1)
        #expect(try catalog.segments(front, .filed, limit: 9).map(\.id.session) == [1])
        #expect(try catalog.evictableWatermark(front, below: nil) == row(1, 0).id)
        #expect(try catalog.unfiledSessions(front, limit: 9).map(\.session) == [2, 3])
        #expect(try catalog.filedThrough(front) == 1)
        try catalog.noteFiled(front, session: 3)
        #expect(try catalog.filedThrough(front) == 1, "the file of the second is still to be written")
        try catalog.noteFiled(front, session: 2)
        #expect(try catalog.filedThrough(front) == 3)
        // Another disk's journal tells its own sessions; a ledger may tell of a file before.
        try catalog.forgetJournal(of: front)
        #expect(try catalog.filedThrough(front) == nil)
        try catalog.noteFiled(front, session: 1)
        try catalog.apply([session(1, file: "one", goesToStore: false)], camera)
        #expect(try catalog.unfiledSessions(front, limit: 9) == [])
        #expect(try catalog.sessions(ofAsset: "a") == nil)
    }

    @Test("what became of sessions is told of these alone")
    func outcome() throws {
        let catalog = try open()
        let camera = CameraRow(name: front, asset: "archive", retention: nil)
        try catalog.apply((1...4).map { session($0, asset: "a", file: "clip") }, camera)
        try catalog.enter([row(1, 0), row(2, 0), row(2, 1), row(3, 0), row(4, 0)])
        try catalog.commitVerified(front, row(3, 0).id, checksum: 1)
        func save(_ path: String, _ session: Int64, _ part: Int64, isWritten: Bool) throws {
            let file = SinkFile(
                path: path, session: session, part: part, start: epoch, end: epoch, bytes: 1, checksum: 1,
                isWritten: isWritten)
            try catalog.save(file, of: front)
        }
        try save("/f/clip-2.mp4", 2, 1, isWritten: true)
        try save("/f/clip.mp4", 2, 0, isWritten: true)
        try save("/f/clip-3.mp4", 3, 0, isWritten: false)
        try catalog.noteFiled(front, session: 2)
        let second = try catalog.outcome(front, of: 2...2)
        #expect(!second.isStored && second.waiting == 2 && second.unfiled == 0 && second.isOver)
        #expect(second.files == ["/f/clip.mp4", "/f/clip-2.mp4"])
        let third = try catalog.outcome(front, of: 3...4)
        #expect(third.isStored && third.waiting == 1 && third.unfiled == 2 && third.files == [] && !third.isOver)
        #expect(try catalog.outcome(front, of: 9...9).isOver == false, "nobody knows of it yet")
    }

    @Test("the newest that the store ever had is told, whatever became of it, and no alias of an older one")
    func storedThrough() throws {
        let catalog = try open()
        #expect(try catalog.storedThrough(front) == nil)
        try catalog.enter([row(1, 0), row(1, 1), row(2, 0)])
        #expect(try catalog.storedThrough(front) == nil)
        try catalog.commitVerified(front, row(1, 1).id, checksum: 1)
        try catalog.commitVerified(front, row(1, 0).id, checksum: 1)
        #expect(try catalog.storedThrough(front) == row(1, 1).id)
        try catalog.moveAside(front, row(1, 1).id)
        try catalog.setLocal(front, [row(1, 0).id], false)
        #expect(try catalog.storedThrough(front) == row(1, 1).id)
        try catalog.commitVerified(front, row(2, 0).id, checksum: 1)
        try catalog.close()
        #expect(try open().storedThrough(front) == row(2, 0).id)
    }
}
