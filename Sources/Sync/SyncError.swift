import Catalog
import Glibc
import Messages
import ObjectStore
import SegmentStore

/// Something that cvr-sync could not do, with the operator's next step.
package struct SyncError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case invalidArgument, notConfigured, notFound, locked, noSpace, wrongDisk, clockMoved, storeOfAnotherBox,
            storeUnavailable, paused, failed
    }

    package var code: Code
    package var message: String
    package var nextStep: String

    package init(_ code: Code, _ message: String, nextStep: String) {
        self.code = code
        self.message = message
        self.nextStep = nextStep
    }

    package static func argument(_ name: String, _ value: String) -> SyncError {
        SyncError(.invalidArgument, "\(name) '\(value)' cannot be used", nextStep: "correct it in cvr.yaml")
    }

    package var description: String { "\(message); \(nextStep)" }

    var fault: Admin.Fault { Admin.Fault(code: code.rawValue, message: message, nextStep: nextStep) }
}

extension SyncError {
    init(_ error: any Error) {
        self =
            switch error {
            case let error as SyncError: error
            case let error as CatalogError:
                SyncError(.failed, "\(error.operation) \(error.path): \(error.detail)", nextStep: error.nextStep)
            case let error as SegmentStoreError:
                SyncError(
                    error.isNoSpace ? .noSpace : .failed, "\(error.operation) \(error.path): \(error.reason)",
                    nextStep: error.nextStep)
            case let error as ObjectStoreError:
                SyncError(
                    error.isOfAnotherBox ? .storeOfAnotherBox : .failed,
                    "\(error.operation) \(error.thing): \(error.detail)", nextStep: error.nextStep)
            default: SyncError(.failed, "\(error)", nextStep: "see the log")
            }
    }
}

extension Error {
    /// Concerns one camera's cache or one object: the others go on.
    var concernsOneOnly: Bool {
        self is SegmentStoreError || self is SyncError || (self as? ObjectStoreError)?.scope == .object
    }
}
