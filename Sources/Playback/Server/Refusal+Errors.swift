import CLinux
import Footage
import FragmentedMP4
import ObjectStore
import SegmentStore
import Timeline

/// What an error of the footage means to whoever asked: one row an error type.
extension Refusal {
    init(_ error: any Error) {
        switch error {
        case let error as Refusal: self = error
        case let error as PreviewError: self.init(error)
        case let error as ArchiveError:
            self.init(
                [.gone: 404, .tooMuch: 400][error.code] ?? 503, error.code.rawValue, error.message,
                nextStep: error.nextStep)
        case let error as ObjectStoreError where error.scope == .object && error.errno == ENOENT: self = Self.gone
        case let error as ObjectStoreError:
            self.init(503, "storeAway", "the store does not answer: \(error.detail)", nextStep: error.nextStep)
        case let error as SegmentStoreError where error.isNoSuchFile: self = Self.gone
        case let error as SegmentStoreError:
            self.init(503, "cacheAway", "the cache cannot be read: \(error.reason)", nextStep: error.nextStep)
        case let error as RequestMistake: self.init(400, error.code, error.message, nextStep: error.nextStep)
        case is MP4Error, is ServedBytes.Damaged:
            self.init(502, "damaged", "a segment is not what it was recorded as", nextStep: "\(error)")
        default:
            self.init(
                500, "internal", "the request failed", nextStep: "see the journal of cvr-playback, and report this")
        }
    }

    static let gone = Refusal(
        404, "gone", "this segment is not there any more", nextStep: "ask for the manifest or the range again")
}
