/// Which keys there are.
///
/// `etc/cvr.yaml` shows every one of them; a test holds it to that.
package enum Schema {
    /// The keys of each section; `*` stands for any name of the operator's.
    package static let sections: [String: [String]] = [
        "": [
            "site", "runtime", "state", "cache", "store", "defaults", "clock", "playback", "graph", "gateway",
            "cameras",
        ],
        "runtime": ["path"],
        "state": ["path"],
        "cache": ["path", "minimumFree", "localMediaCacheMaximumSizeMiB", "cacheFull"],
        "store": ["url", "credential", "certificateAuthority", "proxy", "storageClass", "prices", "bandwidth"],
        "store.bandwidth": ["limit", "schedule", "metered"],
        "store.bandwidth.schedule": ["days", "from", "to", "limit", "lanes"],
        "store.bandwidth.metered": ["interfaces", "limit", "lanes"],
        "defaults": ["segmentLength", "retention", "transport"],
        "clock": ["trust"],
        "graph": ["filePaths"],
        "playback": ["listen", "tls", "accounts", "tokens", "signing", "proxies", "allowOrigins"],
        "playback.tls": ["certificate", "key"],
        "playback.accounts.*": ["credential", "cameras"],
        "playback.tokens": ["issuer", "audience", "keys"],
        "playback.tokens.keys": ["kid", "algorithm", "file"],
        "gateway": ["listen", "tls", "tokens", "webhooks", "mqtt"],
        "gateway.tls": ["certificate", "key"],
        "gateway.webhooks.*": ["url", "header", "credential", "certificateAuthority"],
        "gateway.mqtt": [
            "url", "device", "module", "username", "credential", "certificateAuthority", "operationalEventsOutputName",
            "diagnosticsEventsOutputName",
        ],
        "cameras.*": camera,
        "cameras.*.tls": ["verify"],
    ]

    /// What `cameras.d/NAME.yaml` may say besides the keys of a camera.
    static let enabled = "enabled"

    private static let camera = [
        "url", "username", "credential", "transport", "segmentLength", "retention", "assetNamePattern",
        "localMediaCacheMaximumSizeMiB", "cacheFull", "tls",
    ]

    /// The one of `candidates` that is most like `word`.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let scored = candidates.map { (distance: editDistance(word.lowercased(), $0.lowercased()), word: $0) }
        return scored.min { $0.distance < $1.distance }?.word
    }

    /// Levenshtein's distance with transposition of neighbours; texts are cut to 64 characters.
    static func editDistance(_ left: String, _ right: String) -> Int {
        let (source, target) = (Array(left.prefix(64)), Array(right.prefix(64)))
        var beforeLast: [Int] = []
        var last = Array(0...target.count)
        for row in source.indices {
            var current = [row + 1]
            for column in target.indices {
                let substitution = last[column] + (source[row] == target[column] ? 0 : 1)
                var best = min(substitution, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, source[row] == target[column - 1], source[row - 1] == target[column] {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            (beforeLast, last) = (last, current)
        }
        return last[target.count]
    }
}
