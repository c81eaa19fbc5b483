/// The interface files, as the build embedded them.
package enum VarlinkInterface {
    package static let admin = String(decoding: PackageResources.io_cvr_Admin_varlink, as: UTF8.self)
    package static let gateway = String(decoding: PackageResources.io_cvr_Gateway_varlink, as: UTF8.self)
    package static let playback = String(decoding: PackageResources.io_cvr_Playback_varlink, as: UTF8.self)
    package static let sync = String(decoding: PackageResources.io_cvr_Sync_varlink, as: UTF8.self)
}
