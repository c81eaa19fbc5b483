import Catalog
package import ObjectStore
import Recording

/// A day's objects as a listing names them, and what follows from that.
///
/// A name has no end and no session: where counters follow one another the next begins where the last ends, and only the
/// last of such a run is looked at. Whatever else is listed is taken for what its name says, no more.
package struct DayListing: Sendable {
    package struct Object: Hashable, Sendable {
        package let key: ObjectKey
        package let bytes: Int64

        package init(key: ObjectKey, bytes: Int64) { (self.key, self.bytes) = (key, bytes) }
    }

    package init() {}

    /// By start and counter.
    package private(set) var objects: [Object] = []
    /// Bounds what a listing makes its reader hold: a day of segments of 2 s has 43,200.
    package static let limit = 100_000

    package mutating func add(_ found: [Object]) {
        guard !found.isEmpty else { return }
        var known = Dictionary(objects.map { ($0.key.text, $0) }) { $1 }
        for object in found.prefix(Self.limit - min(Self.limit, objects.count)) { known[object.key.text] = object }
        objects = known.values.sorted { ($0.key.start, $0.key.counter) < ($1.key.start, $1.key.counter) }
    }

    /// The last that was listed, where a store that goes on from there goes on.
    package var last: ObjectKey? { objects.map(\.key).max { $0.text < $1.text } }

    /// Objects whose counters follow one another, none missing in between.
    package var runs: [[Object]] {
        let longest = longestStep
        var runs: [[Object]] = []
        // Sessions overlap after a backward step of the clock: the newest run that an object can follow.
        var open: [Int] = []
        for object in objects {
            let index = open.last { index in
                guard let last = runs[index].last?.key else { return false }
                return last.counter.addingSaturated(1) == object.key.counter && last.start < object.key.start
                    && object.key.start - last.start <= longest
            }
            if let index {
                runs[index].append(object)
            } else {
                open.append(runs.count)
                if open.count > 4 { open.removeFirst() }
                runs.append([object])
            }
        }
        return runs
    }

    /// Between two segments of one session: more is a hole that happens to have the right counters at its ends.
    private var longestStep: TimeSpan {
        let steps = zip(objects, objects.dropFirst())
            .filter { $0.key.counter.addingSaturated(1) == $1.key.counter }
            .map { $1.key.start - $0.key.start }.sorted()
        guard !steps.isEmpty else { return .zero }
        let median = steps[steps.count / 2]
        return TimeSpan(microseconds: median.microseconds.multipliedSaturated(3) / 2) + .seconds(2)
    }

    /// What an object itself tells of its segment.
    struct Look: Sendable {
        let session: Int64
        let duration: TimeSpan
        /// The last silences of its session in its day, its own among them, by start.
        var gaps: [Gap] = []
    }

    /// The day, with each run's session, end and silences as `look` finds them: nil for what is no segment of ours.
    func day(_ look: @Sendable (Object) throws -> Look?) throws -> StoredDay {
        let runs = runs
        let ends = try inParallel(runs) { try Self.end(of: $0, look) }
        var day = StoredDay()
        for (run, end) in zip(runs, ends) {
            guard let end else { continue }
            for (index, object) in run.enumerated() {
                let key = object.key
                let duration = index + 1 < run.count ? run[index + 1].key.start - key.start : end.duration
                day.entries.append(
                    StoredDay.Entry(
                        place: SegmentPlace(
                            start: key.start, id: SegmentID(session: end.session, counter: key.counter)),
                        duration: duration, bytes: object.bytes, state: .uploaded))
            }
            day.gaps += end.gaps.map { GapRow(sequence: 0, session: end.session, gap: $0) }
            if let first = run.first?.key, first.counter == 0 { day.sessionStarts.append(first) }
        }
        day.entries.sort { ($0.place.start, $0.place.id) < ($1.place.start, $1.place.id) }
        return day
    }

    /// Of a run's last object, with the silences of the whole run: it tells some, the one that holds the first of these
    /// tells those before.
    private static func end(of run: [Object], _ look: (Object) throws -> Look?) throws -> Look? {
        guard let last = run.last, var end = try look(last) else { return nil }
        var (told, rest) = (end.gaps, run.dropLast())
        for _ in 0..<looks where told.count >= ObjectMetadata.gapLimit {
            guard let first = told.first?.from, let holder = rest.lastIndex(where: { $0.key.start <= first }),
                let before = try look(rest[holder]), before.session == end.session
            else { break }
            rest = rest[..<holder]
            told = before.gaps
            end.gaps = told.filter { $0.from < first } + end.gaps
        }
        return end
    }

    /// For silences alone: some 3,000 a day, more are a camera that cannot be recorded.
    private static let looks = 200
}
