import Foundation
import Synchronization

/// A webhook's other end: an HTTP server that says what it is sent, and answers as it is told.
package final class Hook: Sendable {
    package let port: Int
    private let child: ChildProcess

    package var url: String { "http://127.0.0.1:\(port)/events?code=1" }

    /// `after` is one that was stopped, whose port this one has.
    package init(after: Hook? = nil) async throws {
        port = try after?.port ?? freePort()
        child = try ChildProcess("/usr/bin/python3", ["-c", Self.script, "\(port)"])
        _ = try await child.output.first("the webhook listens") { $0 == "listening" ? true : nil }
    }

    deinit { child.signal(SIGKILL) }

    /// What it answers from now on; 0 is nothing, ever.
    package func answer(_ status: Int) async throws {
        let count = child.output.lines.count
        try child.send("\(status)")
        _ = try await child.output.first(from: count, "the webhook heard") { $0 == "answers \(status)" ? true : nil }
    }

    package func stop() async { await child.stop() }

    /// The requests so far: method, target, headers in lower case and body.
    package var requests: [[String: String]] {
        child.output.lines.filter { $0.hasPrefix("{") }.compactMap { line in
            // Its own lines are.
            try? JSONDecoder().decode([String: String].self, from: Data(line.utf8))
        }
    }

    /// Waits for a request whose body holds `text`.
    @discardableResult
    package func request(holding text: String, within limit: Duration = .seconds(30)) async throws -> [String: String] {
        try await child.output.first("a request with \(text)", within: limit) { line in
            guard line.hasPrefix("{"),
                // As above.
                let request = try? JSONDecoder().decode([String: String].self, from: Data(line.utf8)),
                request["body"]?.contains(text) == true
            else { return nil }
            return request
        }.found
    }

    private static let script = """
        import http.server, json, sys, threading
        status = [204]
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                told = {k.lower(): v for k, v in self.headers.items()}
                print(json.dumps(told | {"method": self.command, "target": self.path, "body": body,
                                         "answered": str(status[0])}), flush=True)
                if not status[0]: threading.Event().wait()
                self.send_response(status[0])
                self.send_header("content-length", "0")
                self.end_headers()
            def log_message(self, *_): pass
        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True
        server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print("listening", flush=True)
        for line in sys.stdin:
            status[0] = int(line)
            print("answers", status[0], flush=True)
        """
}
