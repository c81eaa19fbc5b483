internal import CLibAV
internal import Glibc
internal import Recording

/// libavformat's error numbers in the words of the project: the only place that knows them.
extension SourceFailure {
    init(opening code: Int32) {
        self =
            switch code {
            case CAV_HTTP_UNAUTHORIZED: .authentication
            case CAV_HTTP_FORBIDDEN: .forbidden
            case CAV_HTTP_NOT_FOUND: .notFound
            // EPROTONOSUPPORT is how libavformat tells of RTSP's 461, Unsupported Transport.
            case CAV_HTTP_BAD_REQUEST, CAV_HTTP_OTHER_4XX, cav_error(EPROTONOSUPPORT): .refused
            case CAV_HTTP_SERVER_ERROR: .serverError
            case CAV_INVALIDDATA: .invalidData
            case CAV_PROTOCOL_NOT_FOUND, cav_error(EINVAL): .invalidURL
            case cav_error(ECONNREFUSED): .connectionRefused
            // libavformat says EIO when a name does not resolve.
            case cav_error(EHOSTUNREACH), cav_error(ENETUNREACH), cav_error(EHOSTDOWN), cav_error(EIO): .unreachable
            case cav_error(ETIMEDOUT): .timeout
            case CAV_EOF, cav_error(ECONNRESET), cav_error(EPIPE): .disconnected
            case cav_error(EMFILE): .descriptorLimit
            default: .engine(Self.text(code))
            }
    }

    init(reading code: Int32) {
        self =
            switch code {
            case CAV_EOF, cav_error(ECONNRESET), cav_error(EPIPE), cav_error(EIO): .disconnected
            case cav_error(ETIMEDOUT): .silent
            default: Self(opening: code)
            }
    }

    private static func text(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        av_strerror(code, &buffer, buffer.count)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
