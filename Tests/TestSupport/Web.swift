import Dispatch
import HTTP

/// What a server on this machine answers.
package enum Web {
    /// Asks once, on a thread of its own; a refused connection is an error.
    package static func get(
        _ url: String, _ headers: [(name: String, value: String)] = []
    ) async throws -> (status: Int, body: [UInt8], text: String) {
        let answer: Result<HTTPResponse, HTTPFailure> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let client = HTTPClient(HTTPSettings())
                continuation.resume(
                    returning: Result { () throws(HTTPFailure) in
                        try client.perform(HTTPRequest("GET", url, headers: headers), bodyLimit: 16 << 20)
                    })
            }
        }
        let response = try answer.get()
        return (response.status, response.body, String(decoding: response.body, as: UTF8.self))
    }
}
