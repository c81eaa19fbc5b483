import CLinux
import Glibc
package import Recording

/// A store that did not do what it was asked.
package struct ObjectStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Scope: Hashable, Sendable {
        /// The store as a whole, for now: back off, try everything again.
        case store
        /// This object or its file: trying again changes nothing.
        case object
    }

    /// What a failure of the store as a whole says of the next moment.
    package enum Outlook: Hashable, Sendable {
        /// One bad answer, such as 500 or a connection that broke: the next may be good.
        case passing
        /// No answer in time: another try costs more than most.
        case timedOut
        /// The same again until somebody acts: no permission, no bucket, no such host, a bad certificate.
        case lasting
    }

    package var operation: String
    package var thing: String
    package var errno: Int32
    package var detail: String
    package var nextStep: String
    package var scope: Scope
    package var outlook = Outlook.passing
    /// The store asked to be left alone for so long.
    package var retryAfter: TimeSpan?
    /// A request was refused for no reason that concerns all: what it was about may be the reason.
    package var mayConcernOne = false
    /// The answer was longer than whoever asked can take.
    var isTooLong = false
    /// It is in order, and another box's.
    package var isOfAnotherBox = false

    package init(
        _ operation: String, _ thing: String, errno: Int32 = 0, detail: String = "", nextStep: String, scope: Scope
    ) {
        self.operation = operation
        self.thing = thing
        self.errno = errno
        self.detail = detail
        self.nextStep = nextStep
        self.scope = scope
    }

    /// A failed system call, by the table of what each errno asks of an operator.
    package init(_ operation: String, _ thing: String, errno: Int32) {
        let (nextStep, scope) = Self.meaning(errno)
        self.init(
            operation, thing, errno: errno, detail: String(cString: strerror(errno)), nextStep: nextStep, scope: scope)
    }

    /// A failed system call on one object's own file, which says nothing about the others.
    init(_ operation: String, ofObject thing: String, errno: Int32) {
        self.init(operation, thing, errno: errno)
        guard [EACCES, EPERM, EIO, EBUSY].contains(errno) else { return }
        scope = .object
        if errno != EIO { nextStep = "let the user cvr read and write this object" }
    }

    /// A local file that was evicted, or never was.
    init(goneFile file: String) {
        self.init(
            "read", file, errno: ENOENT, detail: "it is gone", nextStep: "none: the next survey explains it",
            scope: .object)
    }

    /// A local file that has other bytes than when it was described.
    init(changedFile file: String) {
        self.init(
            "read", file, detail: "its bytes changed between two reads", nextStep: "check the cache's disk",
            scope: .object)
    }

    /// What is wrong with a document that is longer than anybody reads.
    init(tooLong key: DocumentKey) {
        self.init(
            "read", key.text, detail: "it has more than \(StoredDocument.limit >> 20) MiB",
            nextStep: "see who else writes to the store", scope: .object)
    }

    package var description: String { "\(operation) \(thing): \(detail); \(nextStep)" }

    private static func meaning(_ code: Int32) -> (String, Scope) {
        switch code {
        case ENOSPC, EDQUOT: ("free space on the store's disk or shorten retention", .store)
        case EROFS: ("mount the store read-write", .store)
        case EACCES, EPERM: ("make the store writable for the user cvr", .store)
        case ENOENT, ENODEV, ENXIO, ENOTCONN, ESTALE: ("mount the store again", .store)
        case EIO: ("check the store's disk", .store)
        case ENAMETOOLONG, EISDIR, ENOTDIR, ELOOP: ("remove what is in the way of this object", .object)
        default: ("see the log; it is retried", .store)
        }
    }
}
