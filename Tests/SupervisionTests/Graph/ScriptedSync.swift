import Foundation
import Messages
import YAMLConfiguration

/// A cvr-sync in a process of its own that knows of caches what a test says, and nothing of media.
enum ScriptedSync {
    static let program = #"""
        #!/usr/bin/python3
        import json, os, socket, sys, threading
        run = sys.argv[2]
        here = os.path.dirname(sys.argv[0])
        start = int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19])
        boot = open("/proc/sys/kernel/random/boot_id").read().strip()
        with open(run + "/state.json", "w") as file:
            json.dump({"pid": os.getpid(), "startTime": start, "bootID": boot}, file)
        if os.path.exists(run + "/sync.sock"):
            os.unlink(run + "/sync.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(run + "/sync.sock")
        listener.listen()

        def caches():
            try:
                configured = json.load(open(here + "/configured.json"))
            except OSError:
                return []
            recorded = {camera["name"]: camera.get("recorded", True) for camera in configured["cameras"]}
            try:
                told = json.load(open(here + "/caches.json"))
            except OSError:
                # Those on the disk that are nobody's, too.
                root = configured["cachePath"]
                kept = set(os.listdir(root)) if os.path.isdir(root) else set()
                told = [{"name": name, "cacheBytes": 0, "pendingSegments": 0, "pendingBytes": 0}
                        for name in sorted(kept | set(recorded))]
            return [{"recorded": recorded.get(cache["name"], False), **cache} for cache in told]

        def outcome(camera, first, last):
            cache = next((cache for cache in caches() if cache["name"] == camera), {})
            stored, filed = (cache.get("storedThrough") or {}).get("session", 0), cache.get("filedThrough")
            unfiled = int(filed is not None and filed < last and last < 1 << 62)
            answer = {"stored": first <= stored, "waiting": 0, "unfiled": unfiled, "files": [], "over": True}
            try:
                return answer | json.load(open(here + "/outcomes.json")).get(f"{camera} {first}", {})
            except OSError:
                return answer

        def events():
            try:
                return json.load(open(here + "/happened.json"))
            except OSError:
                return []

        def done():
            """Between two questions the files that were waited for are written."""
            if os.path.exists(here + "/filed.json"):
                os.rename(here + "/filed.json", here + "/outcomes.json")

        def answer(method, parameters):
            with open(here + "/calls", "a") as file:
                file.write(method + "\n")
            if method == "Configure":
                if os.path.exists(here + "/hold"):
                    open(here + "/hold").read()
                with open(here + "/configured.new", "w") as file:
                    json.dump(parameters, file)
                os.rename(here + "/configured.new", here + "/configured.json")
                return {}
            if method == "Status":
                return {"state": "running", "writes": 0, "retries": 0, "lag": 0.0, "breaker": "closed",
                        "caches": caches()}
            if method == "Outcome":
                if parameters["from"] == 0:
                    done()
                return outcome(parameters["camera"], parameters["from"], parameters["through"])
            if method == "Now":
                return {"uploaded": 0, "failed": 0}
            return {}

        stopping = threading.Event()

        def stop():
            """The last pass stores what there is: who asks what became of it meanwhile is told."""
            if not os.path.exists(here + "/last.json"):
                os._exit(0)
            os.rename(here + "/last.json", here + "/caches.json")
            stopping.set()
            threading.Timer(1.5, os._exit, [0]).start()

        def converse(connection):
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
                while b"\0" in received:
                    message, received = received.split(b"\0", 1)
                    call = json.loads(message)
                    method = call["method"].split(".")[-1]
                    if method == "Stop":
                        stop()
                    reply = {"parameters": {"events": events()} if method == "Events" else
                             answer(method, call.get("parameters", {}))}
                    if call.get("more"):
                        reply["continues"] = True
                    if not call.get("oneway"):
                        connection.sendall(json.dumps(reply).encode() + b"\0")
                    if method == "Outcome" and stopping.is_set():
                        os._exit(0)

        while True:
            threading.Thread(target=converse, args=(listener.accept()[0],), daemon=True).start()
        """#
}

extension TemporaryBox {
    /// What cvr-sync says of its caches from now on; with `atStop` from when it is told to stop.
    func store(_ caches: [SyncInterface.CacheState], atStop: Bool = false) throws {
        let name = atStop ? "last" : "caches"
        try SmallFile.write(Array(try JSONEncoder().encode(caches)), to: "\(root)/bin/\(name).json", mode: 0o600)
    }

    /// What cvr-sync says from now on of recordings, by camera and first session, as `front 7`; with `whenDrained` once it
    /// is asked about all sessions of a camera.
    func outcomes(_ known: [String: SyncInterface.Outcome], whenDrained: Bool = false) throws {
        let name = whenDrained ? "filed" : "outcomes"
        try SmallFile.write(Array(try JSONEncoder().encode(known)), to: "\(root)/bin/\(name).json", mode: 0o600)
    }

    /// What cvr-sync tells each cvrd that comes from now on.
    func happened(_ events: [Listing.Event]) throws {
        try SmallFile.write(Array(try JSONEncoder().encode(events)), to: "\(root)/bin/happened.json", mode: 0o600)
    }

    /// The methods that cvr-sync was called, in order.
    func syncCalls() throws -> [String] {
        try String(contentsOfFile: "\(root)/bin/calls", encoding: .utf8).split(separator: "\n").map(String.init)
    }

    /// What cvr-sync was told last.
    func syncConfiguration() throws -> SyncInterface.Configuration {
        try JSONDecoder().decode(
            SyncInterface.Configuration.self, from: Data(contentsOf: URL(filePath: "\(root)/bin/configured.json")))
    }
}
