/// What a directory's disk is like, and how often media on it is synced.
package enum DiskKind: Sendable {
    case flash, rotational
}
