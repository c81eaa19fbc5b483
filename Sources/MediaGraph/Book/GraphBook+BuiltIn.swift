import JSON
import Recording

/// The topology that every camera of cvr.yaml is an instance of: what LVA's users know as continuous video recording.
extension GraphBook {
    package static let builtInName = "cvr-asset"

    /// Its parameter that stands for the instance's name as long as it is empty, which no default of LVA's can say.
    static let assetKey = "assetname"

    static func isBuiltIn(_ name: String) -> Bool { key(name) == builtInName }

    static let builtInIsFixed = GraphError.conflict(
        .resourceValidationError, at: "$.Name",
        "The topology \(builtInName) is built in and stays as it is: set one of another name.")

    /// Always there.
    ///
    /// `try?`: whoever breaks it is told by the tests, and a box without it runs all the same.
    static let builtIn = (try? Topology(builtInPayload, at: WallTime(microseconds: 0))).map {
        Entry($0, $0.json(.hidden))
    }

    private static let builtInPayload = object(
        ["@apiVersion": "2.0", "name": builtInName],
        [
            "properties": object(
                ["description": "Records a camera around the clock into its asset, as the cameras of cvr.yaml."],
                [
                    "parameters": .array([
                        object(["name": "rtspUrl", "type": "String"]),
                        object(["name": "rtspUserName", "type": "String", "default": ""]),
                        object(["name": "rtspPassword", "type": "SecretString", "default": ""]),
                        object(["name": "transport", "type": "String", "default": "Tcp"]),
                        object([
                            "name": "assetName", "type": "String", "default": "",
                            "description": "Empty: the name of the instance.",
                        ]), object(["name": "segmentLength", "type": "String", "default": "PT30S"]),
                        object(["name": "localMediaCachePath", "type": "String", "default": "/var/lib/cvr/cache"]),
                        object(["name": "localMediaCacheMaximumSizeMiB", "type": "String", "default": "2048"]),
                    ]),
                    "sources": .array([source]), "sinks": .array([sink]),
                ])
        ])

    private static let source = object(
        ["@type": "#Microsoft.Media.MediaGraphRtspSource", "name": "rtspSource", "transport": "${transport}"],
        [
            "endpoint": object(
                ["@type": "#Microsoft.Media.MediaGraphUnsecuredEndpoint", "url": "${rtspUrl}"],
                [
                    "credentials": object([
                        "@type": "#Microsoft.Media.MediaGraphUsernamePasswordCredentials",
                        "username": "${rtspUserName}", "password": "${rtspPassword}",
                    ])
                ])
        ])

    private static let sink = object(
        [
            "@type": "#Microsoft.Media.MediaGraphAssetSink", "name": "assetSink",
            "assetNamePattern": "${assetName}", "segmentLength": "${segmentLength}",
            "localMediaCachePath": "${localMediaCachePath}",
            "localMediaCacheMaximumSizeMiB": "${localMediaCacheMaximumSizeMiB}",
        ],
        ["inputs": .array([object(["nodeName": "rtspSource"])])])

    private static func object(_ texts: [String: String], _ others: [String: JSONValue] = [:]) -> JSONValue {
        .object(texts.mapValues { JSONValue.string($0) }.merging(others) { text, _ in text })
    }
}
