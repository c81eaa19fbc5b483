import Foundation
import FragmentedMP4

/// The segments of one session, held against the clip that its camera loops.
package struct Footage: Sendable {
    /// In the order of the clip's tracks.
    package private(set) var tracks: [Continuity]
    /// What ffmpeg complains of when it decodes the files, one entry a file.
    package private(set) var complaints: [String] = []

    /// Examines the files of a session, in their order; of files that we did not write just their content.
    package init(_ files: [String], of clip: SourceClip, areOurs: Bool = true) async throws {
        tracks = clip.hashes.map { _ in Continuity() }
        let places = clip.hashes.map { hashes in
            Dictionary(hashes.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        }
        var audio = Data()
        for path in files {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            let (samples, complaint) = try await Media.examine(path, video: clip.video)
            if !complaint.isEmpty { complaints.append("\(path): \(complaint)") }
            for sample in samples {
                guard tracks.indices.contains(sample.track) else {
                    throw Missed("\(path) has a track \(sample.track) that \(clip.name) has not")
                }
                tracks[sample.track].samples += 1
                if !places[sample.track].isEmpty {
                    if areOurs { tracks[sample.track].follow(sample, in: name) }
                    tracks[sample.track].place(
                        places[sample.track][sample.hash], of: clip.hashes[sample.track].count,
                        "\(name) at \(sample.decodeTime)")
                }
            }
            let fragments = areOurs ? try SegmentFiles.read(path).fragments : []
            for run in fragments.flatMap(\.perTrack) where tracks.indices.contains(run.track) {
                tracks[run.track].join(run, in: name)
            }
            if !clip.audio.isEmpty { audio += try await Media.audioBytes(path) }
        }
        if !clip.audio.isEmpty, let last = tracks.indices.last { tracks[last].compare(audio, with: clip.audio) }
    }
}
