package import JSON

extension SampleGraph {
    /// The payload of GraphTopologySet.
    package func payload(_ form: Form) -> JSONValue {
        let nodes = nodes(in: form)
        func list(_ kinds: String) -> JSONValue {
            .array(nodes.filter { kinds.contains($0.kind) }.map { json($0, form) })
        }
        var properties: [String: JSONValue] = [
            "description": "A graph of the tests", "parameters": .array(Self.parameters), "sources": list("RH"),
            "sinks": list("ALS"),
        ]
        if nodes.contains(where: { "MGFXPQV".contains($0.kind) }) { properties["processors"] = list("MGFXPQV") }
        return ["@apiVersion": .string(form.version), "name": .string(name), "properties": .object(properties)]
    }

    /// The payload of GraphInstanceSet.
    package func instance(_ form: Form, name: String = "Sample-Graph-1") -> JSONValue {
        [
            "@apiVersion": .string(form.version), "name": .string(name),
            "properties": [
                "topologyName": .string(self.name), "description": "An instance of the tests",
                "parameters": [["name": "rtspUrl", "value": "rtsp://10.0.0.21:554/stream1"]],
            ],
        ]
    }

    private static let parameters: [JSONValue] = [
        [
            "name": "rtspUserName", "type": "String", "description": "rtsp source user name.",
            "default": "dummyUserName",
        ],
        ["name": "rtspPassword", "type": "String", "description": "rtsp source password.", "default": "dummyPassword"],
        ["name": "rtspUrl", "type": "String", "description": "rtsp Url"],
        ["name": "motionSensitivity", "type": "String", "default": "medium"],
        ["name": "inferencingUrl", "type": "String", "default": "http://yolov3/score"],
        ["name": "grpcExtensionAddress", "type": "String", "default": "tcp://lvaextension:44000"],
        ["name": "imageEncoding", "type": "String", "default": "bmp"],
        ["name": "frameRate", "type": "String", "default": "2"],
        ["name": "hubSourceInput", "type": "String", "default": "recordingTrigger"],
        ["name": "hubSinkOutputName", "type": "String", "default": "inferenceOutput"],
        ["name": "fileSinkOutputName", "type": "String", "default": "filesinkOutput"],
        ["name": "assetName", "type": "String", "default": "unused"],
    ]

    private func json(_ node: SampleNode, _ form: Form) -> JSONValue {
        var members = properties(of: node, form)
        members["@type"] = .string("#Microsoft.Media.\(Self.types[node.kind] ?? "")")
        members["name"] = .string(node.name)
        if !node.inputs.isEmpty { members["inputs"] = .array(node.inputs.map { input($0, of: node, form) }) }
        return .object(members)
    }

    private static let types: [Character: String] = [
        "R": "MediaGraphRtspSource", "H": "MediaGraphIoTHubMessageSource", "M": "MediaGraphMotionDetectionProcessor",
        "G": "MediaGraphSignalGateProcessor", "F": "MediaGraphFrameRateFilterProcessor",
        "X": "MediaGraphHttpExtension", "P": "MediaGraphGrpcExtension", "Q": "MediaGraphGrpcExtension",
        "V": "MediaGraphCognitiveServicesVisionExtension", "A": "MediaGraphAssetSink", "L": "MediaGraphFileSink",
        "S": "MediaGraphIoTHubMessageSink",
    ]

    private func input(_ name: String, of node: SampleNode, _ form: Form) -> JSONValue {
        var members: [String: JSONValue] = ["nodeName": .string(name)]
        if form == .v2, name == "rtspSource" || "AL".contains(node.kind) {
            members["outputSelectors"] = [
                takesSound
                    ? ["property": "mediaType", "operator": "isNot", "value": "application"]
                    : ["property": "mediaType", "operator": "is", "value": "video"]
            ]
        }
        return .object(members)
    }

    private func properties(of node: SampleNode, _ form: Form) -> [String: JSONValue] {
        switch node.kind {
        case "R": source(form)
        case "H": ["hubInputName": "${hubSourceInput}"]
        case "M": ["sensitivity": "${motionSensitivity}"]
        case "G":
            [
                "activationEvaluationWindow": "PT1S", "activationSignalOffset": .string(gateOffset),
                "minimumActivationTime": .string(gateLength), "maximumActivationTime": .string(gateLength),
            ]
        case "F": ["maximumFps": form == .root ? 0.1 : "${frameRate}"]
        case "X", "P", "Q", "V": inference(node.kind, form)
        case "A": asset(form)
        case "L": file(form)
        default: ["hubOutputName": "${hubSinkOutputName}"]
        }
    }

    private func source(_ form: Form) -> [String: JSONValue] {
        var members: [String: JSONValue] = [
            "endpoint": [
                "@type": "#Microsoft.Media.MediaGraphUnsecuredEndpoint",
                "url": folder == "evr-hubMessage-files" ? "rtsp://rtspsim:554/media/camera-300s.mkv" : "${rtspUrl}",
                "credentials": [
                    "@type": "#Microsoft.Media.MediaGraphUsernamePasswordCredentials", "username": "${rtspUserName}",
                    "password": "${rtspPassword}",
                ],
            ]
        ]
        if takesSound { members["transport"] = "Tcp" } else if form != .v2 { members["transport"] = "tcp" }
        return members
    }

    private func inference(_ kind: Character, _ form: Form) -> [String: JSONValue] {
        let format: JSONValue =
            form == .v2
            ? ["@type": "#Microsoft.Media.MediaGraphImageFormatJpeg", "quality": "90"]
            : ["@type": "#Microsoft.Media.MediaGraphImageFormatEncoded", "encoding": "${imageEncoding}"]
        var members: [String: JSONValue] = [
            "endpoint": [
                "@type": "#Microsoft.Media.MediaGraphUnsecuredEndpoint",
                "url": kind == "X" ? "${inferencingUrl}" : "${grpcExtensionAddress}",
                "credentials": [
                    "@type": "#Microsoft.Media.MediaGraphUsernamePasswordCredentials", "username": "user",
                    "password": "${rtspPassword}",
                ],
            ],
            "image": ["scale": ["mode": "pad", "width": "416", "height": "416"], "format": format],
        ]
        if kind == "V" {
            members["image"] = [
                "format": ["@type": "#Microsoft.Media.MediaGraphImageFormatRaw", "pixelFormat": "bgr24"]
            ]
        }
        if kind == "P" || kind == "Q" {
            members["dataTransfer"] = ["mode": "sharedMemory", "SharedMemorySizeMiB": "256"]
        }
        if form == .v2 {
            members["samplingOptions"] = ["skipSamplesWithoutAnnotation": "false", "maximumSamplesPerSecond": "20"]
        }
        return members
    }

    private func asset(_ form: Form) -> [String: JSONValue] {
        let name =
            nodes.contains { $0.kind == "G" }
            ? "sampleAssetFromEVR-LVAEdge-${System.DateTime}"
            : "sampleAsset-${System.GraphTopologyName}-${System.GraphInstanceName}"
        return [
            "assetNamePattern": .string(name), "segmentLength": form == .root ? "PT0M30S" : "PT30S",
            "localMediaCachePath": "/var/lib/azuremediaservices/tmp/",
            form == .root ? "LocalMediaCacheMaximumSizeMiB" : "localMediaCacheMaximumSizeMiB": "2048",
        ]
    }

    private func file(_ form: Form) -> [String: JSONValue] {
        let name = "sampleFilesFromEVR-${fileSinkOutputName}-${System.DateTime}"
        guard form == .v2 else { return ["filePathPattern": .string("/var/media/\(name)")] }
        return ["fileNamePattern": .string(name), "maximumSizeMiB": "512", "baseDirectoryPath": "/var/media"]
    }
}

extension JSONValue {
    /// With the names that some samples begin with a capital as LVA spells them.
    package var renamed: JSONValue {
        switch self {
        case .object(let members):
            .object(
                Dictionary(
                    uniqueKeysWithValues: members.map { name, value in
                        (name.prefix(1).lowercased() + name.dropFirst(), value.renamed)
                    }))
        case .array(let elements): .array(elements.map(\.renamed))
        default: self
        }
    }
}
