/// The release that this build is of.
package enum Release {
    /// The one place where it is written: every process tells it, `contrib/package` reads it from here.
    package static let version = "0.1.0"
}
