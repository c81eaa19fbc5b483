import Dispatch
package import HTTP

/// What a server on this machine answers.
package enum Web {
    /// Asks once, on a thread of its own; a refused connection is an error.
    package static func get(
        _ url: String, _ headers: [(name: String, value: String)] = []
    ) async throws -> (status: Int, body: [UInt8], text: String) {
        let response = try await ask(HTTPRequest("GET", url, headers: headers))
        return (response.status, response.body, String(decoding: response.body, as: UTF8.self))
    }

    /// As `get`; `authority` is PEM.
    package static func ask(_ request: HTTPRequest, authority: String? = nil) async throws -> HTTPResponse {
        let answer: Result<HTTPResponse, HTTPFailure> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let client = HTTPClient(HTTPSettings(certificateAuthority: authority))
                continuation.resume(
                    returning: Result { () throws(HTTPFailure) in
                        try client.perform(request, bodyLimit: 16 << 20)
                    })
            }
        }
        return try answer.get()
    }
}
