import JSON
package import Recording

extension Instance {
    /// A camera of cvr.yaml as an instance of `cvr-asset`, for `GraphBook.show`.
    ///
    /// Nothing is held to LVA's limits: segments of 2 s, UDP and rtsps are cvr.yaml's right. The password is not in it;
    /// `asset` nil: as the camera. Nil for a name that LVA does not know, one with a dash at its end.
    package static func camera(
        _ name: CameraName, url: String, username: String, segmentLength: TimeSpan, cacheBytes: Int64?,
        asset: String? = nil, transport: String? = nil, cachePath: String? = nil, state: InstanceState, since: WallTime
    ) -> Instance? {
        var given = [("rtspUrl", url), ("segmentLength", "PT\(segmentLength.microseconds / 1_000_000)S")]
        if !username.isEmpty { given.append(("rtspUserName", username)) }
        if let transport { given.append(("transport", transport)) }
        if let asset, asset != name.text { given.append(("assetName", asset)) }
        if let cachePath { given.append(("localMediaCachePath", cachePath)) }
        if let cacheBytes { given.append(("localMediaCacheMaximumSizeMiB", "\(cacheBytes / (1 << 20))")) }
        let parameters = given.map { JSONValue.object(["name": .string($0), "value": .string($1)]) }
        let stored = JSONValue.object([
            "@apiVersion": .string(APIVersion.v2.rawValue), "name": .string(name.text),
            "systemData": .object(["createdAt": .string(since.rfc3339), "lastModifiedAt": .string(since.rfc3339)]),
            "properties": .object([
                "topologyName": .string(GraphBook.builtInName), "state": .string(state.rawValue),
                "parameters": .array(parameters),
            ]),
        ])
        // What LVA would not take is not shown; nothing in it is sealed.
        return try? Instance(stored: stored) { Secret($0) }
    }
}
