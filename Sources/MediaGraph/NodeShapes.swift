import Recording

/// LVA's schema of nodes, API 1.0 and 2.0.
///
/// A property that is not here is left out of what is kept, as the answer to Set shows: the schema forbids none, and
/// what nobody knows might be a secret. Values are held to nothing that LVA does not document.
enum NodeShapes {
    static let prefix = "#Microsoft.Media."

    static func properties(of type: NodeType) -> [Property] {
        switch type {
        case .rtspSource: rtspSource
        case .messageSource: messageSource
        case .motionDetection: motionDetection
        case .signalGate: signalGate
        case .frameRateFilter: frameRateFilter
        case .httpExtension, .visionExtension: processor + extensionBase
        case .grpcExtension: processor + extensionBase + grpc
        case .assetSink: assetSink
        case .fileSink: fileSink
        case .messageSink: messageSink
        }
    }

    /// What stands where a node has secrets, as it was written.
    static func secretTexts(of node: GraphNode) -> [String] {
        secretTexts(in: .object(node.properties), as: .object(properties(of: node.type)))
    }

    private static func secretTexts(in value: NodeValue, as shape: Shape) -> [String] {
        func members(_ properties: [Property]) -> [String] {
            properties.flatMap { property in
                value[property.name].map { secretTexts(in: $0, as: property.shape) } ?? []
            }
        }
        switch shape {
        case .text(.secret): return value.text.map { [$0] } ?? []
        case .text: return []
        case .list(let element): return value.elements.flatMap { secretTexts(in: $0, as: element) }
        case .object(let properties): return members(properties)
        case .variants(let variants):
            return members(variants.first { value["@type"]?.text == prefix + $0.type }?.properties ?? [])
        }
    }

    /// Whether an API version has that type: the frame rate filter went with 2.0.
    static func has(_ type: NodeType, in api: APIVersion) -> Bool { type != .frameRateFilter || api == .v1 }

    private static let name = Property("name", .text(.nodeName), .required)
    private static let processor = [name, Property("inputs", .list(.object(input)), .required)]

    private static let input = [
        Property("nodeName", .text(.nodeName), .required),
        Property(
            "outputSelectors",
            .list(
                .object([
                    Property("property", .text(.choice(["mediaType"]))),
                    Property("operator", .text(.choice(["is", "isNot"]))),
                    Property("value", .text(.text)),
                ]))),
    ]

    // MARK: Sources

    private static let rtspSource = [
        name, Property("transport", .text(.choice(["Http", "Tcp"]))),
        // `rtsp` is all that LVA lists; `rtsps` behind a TLS endpoint says the same twice.
        Property("endpoint", endpoint(.rtspURL(["rtsp"]), tls: .rtspURL(["rtsp", "rtsps"])), .required),
    ]

    private static let messageSource = [name, Property("hubInputName", .text(.moduleName))]

    private static func endpoint(_ url: Format, tls: Format) -> Shape {
        .variants([
            Variant("MediaGraphUnsecuredEndpoint", [Property("url", .text(url), .required), credentials]),
            Variant(
                "MediaGraphTlsEndpoint",
                [
                    Property("url", .text(tls), .required), credentials,
                    Property("trustedCertificates", certificates),
                    Property(
                        "validationOptions",
                        .object([
                            Property("ignoreHostname", .text(.boolean)), Property("ignoreSignature", .text(.boolean)),
                        ])),
                ]),
        ])
    }

    private static let credentials = Property(
        "credentials",
        .variants([
            Variant(
                "MediaGraphUsernamePasswordCredentials",
                [
                    Property("username", .text(.discreetLine), .required),
                    Property("password", .text(.secret), .requiredInV2),
                ]),
            Variant(
                "MediaGraphHttpHeaderCredentials",
                [
                    Property("headerName", .text(.discreetLine), .required),
                    Property("headerValue", .text(.secret), .required),
                ]),
        ]))

    private static let certificates = Shape.variants([
        Variant(
            "MediaGraphPemCertificateList",
            [Property("certificates", .list(.text(.discreetText)), .required)])
    ])

    // MARK: Processors

    private static let motionDetection =
        processor + [
            Property("sensitivity", .text(.choice(["Low", "Medium", "High"]))),
            Property("outputMotionRegion", .text(.boolean)),
            Property("eventAggregationWindow", .text(.duration(.zero...ever, step: nil))),
        ]

    private static let minute = TimeSpan.seconds(60)
    private static let hour = TimeSpan.seconds(3600)
    private static let ever = TimeSpan(microseconds: .max)

    private static let signalGate =
        processor + [
            Property("activationEvaluationWindow", .text(.duration(.zero...TimeSpan.seconds(10), step: nil))),
            Property("activationSignalOffset", .text(.duration(TimeSpan.seconds(-60)...minute, step: nil))),
            Property("minimumActivationTime", .text(.duration(TimeSpan.seconds(1)...hour, step: nil))),
            Property("maximumActivationTime", .text(.duration(TimeSpan.seconds(1)...hour, step: nil))),
        ]

    private static let frameRateFilter = processor + [Property("maximumFps", .text(.decimal))]

    private static let extensionBase = [
        Property("endpoint", endpoint(.url, tls: .url), .requiredInV2),
        Property(
            "image",
            .object([
                Property(
                    "scale",
                    .object([
                        Property("mode", .text(.choice(["PreserveAspectRatio", "Pad", "Stretch"]))),
                        Property("width", .text(.integer(1...Int64(Int32.max)))),
                        Property("height", .text(.integer(1...Int64(Int32.max)))),
                    ])),
                Property("format", imageFormat),
            ]), .requiredInV2),
        Property(
            "samplingOptions",
            .object([
                Property("skipSamplesWithoutAnnotation", .text(.boolean)),
                Property("maximumSamplesPerSecond", .text(.decimal)),
            ])),
    ]

    /// Of both versions: nothing here makes images, so neither is refused the other's form.
    private static let imageFormat = Shape.variants([
        Variant(
            "MediaGraphImageFormatEncoded",
            [
                Property("encoding", .text(.choice(["Jpeg", "Bmp", "Png"]))),
                Property("quality", .text(.integer(0...100))),
            ]),
        Variant("MediaGraphImageFormatJpeg", [Property("quality", .text(.integer(0...100)))]),
        Variant("MediaGraphImageFormatBmp"),
        Variant("MediaGraphImageFormatPng"),
        Variant(
            "MediaGraphImageFormatRaw",
            [
                Property(
                    "pixelFormat",
                    .text(
                        .choice([
                            "Yuv420p", "Rgb565be", "Rgb565le", "Rgb555be", "Rgb555le", "Rgb24", "Bgr24", "Argb", "Rgba",
                            "Abgr", "Bgra",
                        ])), .requiredInV2)
            ]),
    ])

    private static let grpc = [
        Property(
            "dataTransfer",
            .object([
                Property("mode", .text(.choice(["Embedded", "SharedMemory"])), .required),
                Property("sharedMemorySizeMiB", .text(.integer(mebibytes))),
            ]), .requiredInV2),
        Property("extensionConfiguration", .text(.discreetText)),
    ]

    // MARK: Sinks

    /// So many that their bytes fit into 64 bits.
    private static let mebibytes: ClosedRange<Int64> = 1...1 << 30

    private static let assetSink =
        processor + [
            Property("assetNamePattern", .text(.assetName), .requiredInV2),
            Property(
                "segmentLength", .text(.duration(TimeSpan.seconds(30)...TimeSpan.seconds(300), step: .seconds(30)))),
            // Never opened: media is in the camera's cache.
            Property("localMediaCachePath", .text(.text), .requiredInV2),
            Property("localMediaCacheMaximumSizeMiB", .text(.integer(mebibytes)), .requiredInV2),
        ]

    private static let fileSink =
        processor + [
            Property("filePathPattern", .text(.filePath), .required, only: .v1),
            Property("baseDirectoryPath", .text(.absolutePath), .required, only: .v2),
            Property("fileNamePattern", .text(.fileName), .required, only: .v2),
            Property("maximumSizeMiB", .text(.integer(mebibytes)), .required, only: .v2),
        ]

    private static let messageSink = processor + [Property("hubOutputName", .text(.moduleName), .requiredInV2)]
}
