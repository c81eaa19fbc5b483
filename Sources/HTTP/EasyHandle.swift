import CCurl

/// libcurl's handle of one transfer, set up; it goes with this.
///
/// All on the loop's thread. It holds the transfer that its callbacks are given, and the texts that libcurl does not
/// copy.
final class EasyHandle {
    /// 256 KiB: what a request holds of its file, and what TLS and the kernel are handed at once.
    private static let buffer = 256 << 10
    /// Clouds' own answers about the box, and the box itself.
    private static let neverProxied = "localhost,127.0.0.0/8,::1,169.254.0.0/16,fe80::/10"

    let transfer: Transfer
    let handle: UnsafeMutableRawPointer
    private var headers: UnsafeMutablePointer<curl_slist>?
    private let message: UnsafeMutablePointer<CChar>

    /// Nil when there is no memory.
    init?(_ transfer: Transfer) {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        self.transfer = transfer
        message = .allocate(capacity: Int(CURL_ERROR_SIZE))
        message.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        set(CURLOPT_ERRORBUFFER, message)
        setConnection(transfer.settings)
        setSecurity(transfer.settings)
        setRequest(transfer.request)
        setCallbacks()
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headers)
        message.deallocate()
    }

    /// How it ended.
    func outcome(_ code: CURLcode) -> Transfer.Outcome {
        let status = cvr_curl_number(handle, CURLINFO_RESPONSE_CODE)
        guard code != CURLE_OK || status == 0 else { return .answered(status: status) }
        let said = String(cString: message)
        let detail = said.isEmpty ? String(cString: curl_easy_strerror(code)) : said
        return .failed(
            HTTPFailure(
                code, transfer.request.origin, detail: String(detail.prefix(200)),
                verification: cvr_curl_number(handle, CURLINFO_SSL_VERIFYRESULT),
                proxyStatus: cvr_curl_number(handle, CURLINFO_HTTP_CONNECTCODE)))
    }

    private func setConnection(_ settings: HTTPSettings) {
        set(CURLOPT_NOSIGNAL, 1)
        // A name that nobody answers for must not hold up the others: its thread is left to itself.
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        set(CURLOPT_PIPEWAIT, 1)
        set(CURLOPT_CONNECTTIMEOUT_MS, settings.connectLimit.wholeMilliseconds)
        set(CURLOPT_EXPECT_100_TIMEOUT_MS, 1000)
        set(CURLOPT_UPLOAD_BUFFERSIZE, Self.buffer)
        set(CURLOPT_BUFFERSIZE, Self.buffer)
        // An empty text keeps it from what the environment says.
        set(CURLOPT_PROXY, settings.proxy ?? "")
        set(CURLOPT_NOPROXY, Self.neverProxied)
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        cvr_curl_set_bound_unsent(handle)
    }

    private func setSecurity(_ settings: HTTPSettings) {
        // Credentials go to whom they are for: an answer that points elsewhere is the caller's to judge.
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        guard let authority = settings.certificateAuthority else { return }
        let pem = Array(authority.utf8)
        cvr_curl_set_blob(handle, CURLOPT_CAINFO_BLOB, pem, pem.count)
        cvr_curl_set_text(handle, CURLOPT_CAPATH, nil)
    }

    private func setRequest(_ request: HTTPRequest) {
        set(CURLOPT_URL, request.url)
        set(CURLOPT_USERAGENT, "cvr")
        for header in request.headers {
            // libcurl's way to send a header without a value.
            let line = header.value.isEmpty ? header.name + ";" : "\(header.name): \(header.value)"
            headers = curl_slist_append(headers, line)
        }
        cvr_curl_set_list(handle, CURLOPT_HTTPHEADER, headers)
        if case .none = request.body {
            set(request.method == "HEAD" ? CURLOPT_NOBODY : CURLOPT_HTTPGET, 1)
        } else {
            set(CURLOPT_UPLOAD, 1)
            cvr_curl_set_size(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(transfer.bodyCount))
        }
        if request.method != "HEAD" { set(CURLOPT_CUSTOMREQUEST, request.method) }
    }

    private func setCallbacks() {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        for option in [
            CURLOPT_READDATA, CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_SEEKDATA, CURLOPT_PREREQDATA,
        ] { cvr_curl_set_pointer(handle, option, context) }
        cvr_curl_set_mover(handle, CURLOPT_READFUNCTION) { bytes, size, count, context in
            let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
            return Transfer.of(context)?.supply(buffer) ?? cvr_curl_abort_reading()
        }
        // Fewer than were given end the transfer.
        cvr_curl_set_mover(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            let bytes = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Transfer.of(context)?.take(body: bytes) == true ? bytes.count : 0
        }
        cvr_curl_set_mover(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Transfer.of(context)?.take(header: line) == true ? line.count : 0
        }
        cvr_curl_set_seeker(handle) { context, offset, _ in
            Transfer.of(context)?.rewind(to: Int64(offset)) == true ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
        }
        cvr_curl_set_starter(handle) { context, _, _, _, _ in
            Transfer.of(context)?.connected()
            return CURL_PREREQFUNC_OK
        }
    }

    private func set(_ option: CURLoption, _ number: Int) { cvr_curl_set_number(handle, option, number) }
    private func set(_ option: CURLoption, _ text: String) { cvr_curl_set_text(handle, option, text) }
    private func set(_ option: CURLoption, _ memory: UnsafeMutablePointer<CChar>) {
        cvr_curl_set_pointer(handle, option, memory)
    }
}

extension Transfer {
    /// Whom a callback is about: the handle, which holds it, is at work.
    fileprivate static func of(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}

extension Duration {
    /// At least one; what is too long saturates.
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? Int.max / 2 : max(1, Int(whole) + Int(attoseconds / 1_000_000_000_000_000))
    }
}
