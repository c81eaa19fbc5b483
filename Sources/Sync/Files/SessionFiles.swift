import Catalog
import Footage
import Recording
import SegmentStore
import Timeline

/// Makes the MP4 files of one session that is over: one, or one for each format that the camera had in it.
///
/// Order: a hidden partial, synced → ledger: its name, length and checksum → the name, if nothing has it → the folder,
/// synced → ledger: written; after the last one ledger: filed → catalog with full sync, from when on the segments may go (I3).
/// Killed anywhere and run again it makes the same files: what is on record and there is not written again.
struct SessionFiles {
    private static let page = 200
    /// Files with one name that are looked past for a free one.
    private static let mostNames = 100_000

    let work: Workspace
    let camera: CameraName
    let session: SessionRow
    let sink: FileSink
    /// True ends it with a CancellationError, in the midst of a file.
    let isStopping: () -> Bool

    /// The counters of consecutive segments of one format, and when they begin and end.
    private struct Part {
        var counters: ClosedRange<Int64>
        var start: WallTime
        var end: WallTime
        /// At least as many as its file has.
        var bytes: Int64
    }

    private var ledger: Ledger? {
        get throws {
            let isThere = try CacheIdentity.check(camera, work.settings)
            return isThere ? Ledger(cache: work.settings.cachePath(camera)) : nil
        }
    }

    private var cache: CacheDirectory? {
        get throws {
            guard try CacheIdentity.check(camera, work.settings) else { return nil }
            return try CacheDirectory(path: work.settings.cachePath(camera), camera: camera)
        }
    }

    /// False while the session goes on, or what it holds is not closed and known yet.
    func isReady() throws -> Bool {
        guard try work.catalog.isOver(camera, session: session.session) else { return false }
        var known: Set<SegmentID> = []
        var isKnown = true
        try eachPage { rows in
            known.formUnion(rows.lazy.map(\.id))
            isKnown = isKnown && rows.allSatisfy(\.isRead)
        }
        guard isKnown, let cache = try cache else { return isKnown }
        // What a failing disk set aside the next worker tries to read, or nobody's cache is tried: after it nobody does.
        let wasTried = try work.catalog.highestSession(camera) > session.session
        let abandoned = AbandonedCache(work: work, camera: camera)
        return try cache.names(from: session.anchor).filter { $0.id.session == session.session }
            .allSatisfy { name in
                switch name.stage {
                case .closed: known.contains(name.id)
                case .partial: false
                case .suspect: try wasTried || abandoned.wasTried(name.id)
                }
            }
    }

    /// Throws what keeps a file from being written: nothing that was done is done again.
    func write() throws {
        var damaged: Set<SegmentID> = []
        while true {
            do {
                let parts = try parts(without: damaged)
                if !parts.isEmpty { try write(parts, without: damaged) }
                try ledger?.append(.filed(session: session.session))
                try work.step("file.told")
                return try work.catalog.noteFiled(camera, session: session.session)
            } catch let damage as SessionBytes.Damaged {
                damaged.insert(damage.row.id)
                try report(damage)
            }
        }
    }

    private func report(_ damage: SessionBytes.Damaged) throws {
        guard damage.row.state == .closed else { return }
        try work.catalog.quarantine(camera, damage.row.id)
        let id = damage.row.id
        work.tell(
            "segmentQuarantined", camera,
            "\(camera) \(id.session).\(id.counter) \(damage.row.start.rfc3339) \(damage.why); check the cache's disk")
    }

    private func write(_ parts: [Part], without damaged: Set<SegmentID>) throws {
        let folder = try SinkFolder(sink.directory, below: work.settings.filePaths)
        for (number, part) in parts.enumerated() {
            let known = try work.catalog.file(camera, session: session.session, part: Int64(number))
            if let known, known.isWritten { continue }
            if let known, try isThere(known, folder) {
                try settle(known, folder)
            } else {
                try write(part, Int64(number), without: damaged, folder)
            }
        }
    }

    /// It got its name before whoever wrote it died.
    private func isThere(_ file: SinkFile, _ folder: SinkFolder) throws -> Bool {
        guard let name = file.name(in: folder.path) else { return false }
        return try folder.holds(name, bytes: file.bytes, checksum: file.checksum)
    }

    private func write(
        _ part: Part, _ number: Int64, without damaged: Set<SegmentID>, _ folder: SinkFolder
    ) throws {
        try SinkMaximum(work: work, camera: camera, sink: sink).makeRoom(for: part.bytes, folder)
        // Hidden, and another for each box and camera: a folder may be shared.
        let partial = ".\(work.settings.site)-\(camera)-\(session.session)-\(number).mp4.partial"
        try work.step("file.begin")
        let file = try folder.create(partial)
        let bytes = SessionBytes(work, try cache, origin: part.start)
        let put: ([UInt8]) throws -> Void = { block in
            if isStopping() { throw CancellationError() }
            try file.write(block)
            try work.step("file.chunk")
        }
        try eachPage(of: part.counters, without: damaged) { try bytes.add($0, put) }
        try bytes.finish(put)
        try file.sync()
        try work.step("file.synced")
        while true {
            let name = try freeName(in: folder)
            let announced = SinkFile(
                path: "\(folder.path)/\(name)", session: session.session, part: number, start: part.start,
                end: part.end, bytes: file.bytes, checksum: file.checksum)
            try ledger?.append(.filing(Ledger.File(announced)))
            try work.catalog.save(announced, of: camera)
            try work.step("file.announced")
            guard try folder.rename(partial, toNew: name) else { continue }
            try work.step("file.named")
            return try settle(announced, folder)
        }
    }

    private func settle(_ file: SinkFile, _ folder: SinkFolder) throws {
        try folder.sync()
        try work.step("file.settled")
        try ledger?.append(.written(path: file.path))
        try work.catalog.noteWritten(camera, path: file.path)
        work.tell("fileWritten", camera, file.path)
    }

    /// NAME.mp4, else NAME-2.mp4 and so on: nobody's file is replaced, nor is one of ours.
    private func freeName(in folder: SinkFolder) throws -> String {
        let base = Self.safeName(session.file)
        for number in 1...Self.mostNames {
            let name = number == 1 ? "\(base).mp4" : "\(base)-\(number).mp4"
            let isTaken = try folder.has(name) || work.catalog.hasFile(camera, path: "\(folder.path)/\(name)")
            if !isTaken { return name }
        }
        throw SyncError(
            .failed, "\(folder.path) has \(Self.mostNames) files of the name \(base)",
            nextStep: "move them away, or put ${System.DateTime} into the file sink's name pattern")
    }

    /// One component of a path; what a media graph gives stays as it is, what a journal holds may be anything.
    static func safeName(_ name: String) -> String {
        if SinkFileName.isUsable(name) { return name }
        var safe = String(name.map { $0 == "/" || $0 == "\0" ? "-" : $0 }.drop { $0 == "." })
        while safe.utf8.count > SinkFileName.longest { safe.removeLast() }
        return safe.isEmpty ? "session" : safe
    }
}

extension SessionFiles {
    private func parts(without damaged: Set<SegmentID>) throws -> [Part] {
        var (parts, format) = ([Part](), "")
        try eachPage(without: damaged) { rows in
            for row in rows {
                if let last = parts.last, format == row.media.formatName {
                    parts[parts.endIndex - 1].counters = last.counters.lowerBound...row.id.counter
                    parts[parts.endIndex - 1].end = row.end
                    parts[parts.endIndex - 1].bytes = last.bytes.addingSaturated(row.bytes)
                } else {
                    let only = row.id.counter...row.id.counter
                    parts.append(Part(counters: only, start: row.start, end: row.end, bytes: row.bytes))
                }
                format = row.media.formatName
            }
        }
        return parts
    }

    /// What of the session there is to be put into a file, by counter; the others it is without.
    private func eachPage(
        of counters: ClosedRange<Int64> = 0...(.max), without damaged: Set<SegmentID>,
        _ body: ([SegmentRow]) throws -> Void
    ) throws {
        try eachPage(after: counters.lowerBound - 1) { rows in
            try body(
                rows.filter { row in
                    counters.contains(row.id.counter) && row.isPlayable && !damaged.contains(row.id)
                })
        }
    }

    private func eachPage(after first: Int64 = -1, _ body: ([SegmentRow]) throws -> Void) throws {
        var last = first
        while true {
            let rows = try work.catalog.segments(
                camera, ofSession: session.session, after: last, limit: Self.page)
            guard let end = rows.last?.id.counter else { return }
            if isStopping() { throw CancellationError() }
            try body(rows)
            last = end
        }
    }
}

extension SinkFile {
    /// Nil for a file of another folder.
    func name(in folder: String) -> String? {
        guard path.hasPrefix(folder + "/") else { return nil }
        let name = path.dropFirst(folder.count + 1)
        return name.isEmpty || name.contains("/") ? nil : String(name)
    }
}
