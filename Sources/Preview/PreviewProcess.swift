import CLibAV
import CSWScale

/// The process cvr-preview.
package enum PreviewProcess {
    package static var versions: (UInt32, UInt32) { (avcodec_version(), swscale_version()) }
}
