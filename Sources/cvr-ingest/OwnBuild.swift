internal import CLinux
internal import Messages

/// Which build this process is.
enum OwnBuild {
    /// With the build id of the file that was started, where it has one; read before the sandbox closes.
    static func name(version: String) -> String {
        let file = cvr_open("/proc/self/exe", O_RDONLY, 0)
        guard file >= 0 else { return version }
        defer { close(file) }
        let id = BuildIdentity.id { offset, count in
            var bytes = [UInt8](repeating: 0, count: count)
            let got = pread(file, &bytes, count, off_t(offset))
            return Array(bytes.prefix(max(got, 0)))
        }
        return BuildIdentity.name(version: version, id: id)
    }
}
