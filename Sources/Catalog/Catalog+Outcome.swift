import GRDB
package import Recording

extension Catalog {
    /// What became of some of a camera's sessions.
    package struct Outcome: Hashable, Sendable {
        /// The store has a segment of them.
        package var isStored: Bool
        /// Segments that are on their way there.
        package var waiting: Int64
        /// Sessions whose file is still to be made.
        package var unfiled: Int64
        /// The files that were written, in the order of the sessions; at most 1000.
        package var files: [String]
        /// Nothing is recorded of them any more, and all that was is known.
        package var isOver: Bool
    }

    package func outcome(
        _ camera: CameraName, of sessions: ClosedRange<Int64>
    ) throws(CatalogError) -> Outcome {
        let isOver = try isOver(camera, session: sessions.upperBound)
        return try read("look up what became of sessions in") { db in
            let arguments: StatementArguments = [camera.text, sessions.lowerBound, sessions.upperBound]
            let range = "camera = ? AND session BETWEEN ? AND ?"
            let isStored = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM segment WHERE \(range) AND state = 'verified')",
                arguments: arguments)
            let waiting = try Int64.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM segment INDEXED BY segmentUnverified
                    WHERE \(range) AND isLocal = 1 AND \(Self.waits)
                    """, arguments: arguments)
            let unfiled = try Int64.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM session INDEXED BY sessionUnfiled
                    WHERE \(range) AND file <> '' AND isFiled = 0
                    """, arguments: arguments)
            let files = try String.fetchAll(
                db,
                sql: """
                    SELECT path FROM sinkFile INDEXED BY sinkFileBySession
                    WHERE \(range) AND isWritten = 1 ORDER BY session, part LIMIT 1000
                    """, arguments: arguments)
            return Outcome(
                isStored: isStored ?? false, waiting: waiting ?? 0, unfiled: unfiled ?? 0, files: files, isOver: isOver)
        }
    }
}
