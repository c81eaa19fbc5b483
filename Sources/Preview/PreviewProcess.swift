internal import CLibAV
internal import CLinux
internal import Confinement

/// The process cvr-preview: one job from descriptor 0, its result on 1, its exit code; never longer than seconds.
///
/// It is where the project's only decoders run that see bytes of cameras. It is shut in before it reads the first of
/// them; what it does to itself then costs one thumbnail. cvr-playback starts it and says how long it may
/// take; it ends itself then.
package enum PreviewProcess {
    /// The exit code.
    package static func run(arguments: [String]) -> Int32 {
        do throws(PreviewFailure) {
            PreviewLimits.apply(seconds: try seconds(arguments))
            // Damaged media are libavcodec's daily bread: its complaints help nobody.
            av_log_set_level(AV_LOG_QUIET)
            av_max_alloc(PreviewLimits.largestAllocation)
            try confine()
            let (job, media) = try PreviewJob.parse(StandardStreams.read(atMost: PreviewLimits.largestJob))
            try StandardStreams.write(result(of: job, media: media))
            return 0
        } catch {
            StandardStreams.complain(error.description)
            return error.code.rawValue
        }
    }

    private static func seconds(_ arguments: [String]) throws(PreviewFailure) -> UInt32 {
        guard let first = arguments.first else { return PreviewLimits.mostWaiting }
        guard arguments.count == 1, let seconds = UInt32(first) else {
            throw PreviewFailure(.usage, "usage: cvr-preview [SECONDS] <JOB >RESULT")
        }
        return seconds
    }

    private static func confine() throws(PreviewFailure) {
        let sandbox = Sandbox.close(files: FileRules([]), calls: .preview(pid: getpid()))
        // Without Landlock the filter still opens nothing; without the filter anything could be asked of the kernel.
        guard sandbox.filter == .enforced else {
            throw PreviewFailure(.exposed, "\(sandbox.text); this kernel needs CONFIG_SECCOMP_FILTER")
        }
    }

    private static func result(of job: PreviewJob, media: ArraySlice<UInt8>) throws(PreviewFailure) -> [UInt8] {
        let file = try MediaFile(Array(media))
        switch job {
        case .jpeg(let width):
            let picture = try PictureReader.first(of: file)
            return try JPEGEncoder.encode(PictureScaler.scale(picture, toWidth: width))
        case .aac(let span):
            PreviewLimits.allowMore()
            let encoded = try AACEncoder.encode(SoundReader.all(of: file, around: span))
            if let span { encoded.keep(endingIn: span) }
            return try SoundWriter.fragmentedMP4(encoded)
        }
    }
}
