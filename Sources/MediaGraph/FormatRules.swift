import Recording

/// What LVA documents of each kind of value.
enum FormatRules {
    struct Problem: Hashable, Sendable {
        var code: DetailCode
        var message: String
    }

    /// Nil when the text is right, or when too little of it is known yet.
    static func problem(with text: Substitution.Text, as format: Format, in api: APIVersion) -> Problem? {
        switch format {
        case .assetName: return assetName(text)
        case .fileName: return fileName(text, in: api)
        case .filePath: return filePath(text)
        case .discreetLine, .secret: return line(text)
        case .moduleName where text.length > GraphLimits.nodeNameLength:
            return Problem(
                code: .propertyValueOutOfRange,
                message: "The value must have at most \(GraphLimits.nodeNameLength) bytes.")
        case .nodeName, .text, .discreetText: return nil
        default: break
        }
        guard text.isComplete else { return nil }
        let value = text.example
        switch format {
        case .rtspURL(let schemes): return rtspURL(GraphText.trimmed(value), schemes, isSecret: text.isSecret)
        // Where it leads is an extension's business, and none runs here.
        case .url: return GraphText.authority(of: GraphText.trimmed(value)) == .userinfo ? endpoint(value) : nil
        case .absolutePath: return GraphText.isAbsolutePath(value) ? nil : path
        default: return scalar(value, as: format)
        }
    }

    private static func scalar(_ value: String, as format: Format) -> Problem? {
        switch format {
        case .choice(let values):
            if values.contains(where: { $0.lowercased() == value.lowercased() }) { return nil }
            return Problem(
                code: .propertyValueNotSupported, message: "The value must be one of \(values.joined(separator: ", "))."
            )
        case .integer(let range):
            guard let number = GraphText.integer(value) else {
                return Problem(code: .propertyValueInvalidFormat, message: "The value must be a whole number.")
            }
            if range.contains(number) { return nil }
            return Problem(
                code: .propertyValueOutOfRange,
                message: "The value must be between \(range.lowerBound) and \(range.upperBound).")
        case .decimal:
            guard let number = GraphText.decimal(value) else {
                return Problem(code: .propertyValueInvalidFormat, message: "The value must be a number.")
            }
            return number > 0
                ? nil : Problem(code: .propertyValueOutOfRange, message: "The value must be greater than 0.")
        case .boolean:
            return ParameterType.bool.takes(value)
                ? nil : Problem(code: .propertyValueInvalidFormat, message: "The value must be true or false.")
        case .duration(let range, let step): return duration(value, in: range, step: step)
        default: return nil
        }
    }

    private static func duration(_ value: String, in range: ClosedRange<TimeSpan>, step: TimeSpan?) -> Problem? {
        guard let span = GraphText.duration(value) else {
            return Problem(
                code: .propertyValueInvalidFormat, message: "The value must be an ISO 8601 duration such as PT30S.")
        }
        let isOnGrid = step.map { span.microseconds % $0.microseconds == 0 } ?? true
        if range.contains(span) && isOnGrid { return nil }
        let bounds = "\(ISO8601Duration.text(range.lowerBound)) and \(ISO8601Duration.text(range.upperBound))"
        let grid = step.map { ", in steps of \(ISO8601Duration.text($0))" } ?? ""
        return Problem(code: .propertyValueOutOfRange, message: "The value must be between \(bounds)\(grid).")
    }

    // MARK: Names and paths

    private static let path = Problem(
        code: .propertyValueInvalidFormat,
        message: "The value must be an absolute path such as /var/media, without . and .. in it.")

    private static let variable = Problem(
        code: .systemVariableRequired,
        message: "The value must include at least one system variable: "
            + SystemVariable.names.map { "${\($0)}" }.joined(separator: ", ") + ".")

    /// LVA's schema wants a system variable in it, and LVA's own applications have assets without.
    private static func assetName(_ text: Substitution.Text) -> Problem? {
        if GraphText.isAssetName(text.example, isWhole: text.isComplete) { return nil }
        return Problem(
            code: .propertyValueInvalidPattern,
            message: "The value must match the regular expression '\(GraphText.assetNameExpression)'.")
    }

    private static func fileName(_ text: Substitution.Text, in api: APIVersion) -> Problem? {
        guard GraphText.isFileName(text.example, isWhole: text.isComplete) else {
            return Problem(
                code: .propertyValueInvalidPattern,
                message:
                    "The value must be the name of a file of at most \(SinkFileName.longest) bytes, with no / in it "
                    + "and no dot at its begin.")
        }
        return api == .v2 && !text.hasVariable ? variable : nil
    }

    private static func filePath(_ text: Substitution.Text) -> Problem? {
        guard text.isComplete else { return nil }
        let parts = GraphText.fileParts(of: text.example)
        guard let parts, GraphText.isAbsolutePath(parts.directory), GraphText.isFileName(parts.name, isWhole: true)
        else {
            return Problem(
                code: .propertyValueInvalidPattern,
                message: "The value must be an absolute path that ends with the name of a file, of at most "
                    + "\(SinkFileName.longest) bytes and without a dot before it, such as "
                    + "/var/media/camera-${System.DateTime}.")
        }
        return nil
    }

    private static func line(_ text: Substitution.Text) -> Problem? {
        for case .text(let part) in text.parts where !GraphText.isPrintable(part) {
            return Problem(
                code: .propertyValueInvalidFormat, message: "The value must be one line without control characters.")
        }
        return nil
    }

    // MARK: URLs

    /// Those that a message may quote: what stands before another `://` may be part of a password.
    private static let knownSchemes = [
        "file", "ftp", "http", "https", "mms", "rtmp", "rtmps", "rtp", "rtsp", "rtsps", "rtspt", "rtspu", "srt", "tcp",
        "udp", "ws", "wss",
    ]

    /// What is wrong with a URL as it is written, whatever its references stand for; nil for nothing.
    static func literalProblem(with text: String, as format: Format) -> Problem? {
        let url = GraphText.trimmed(text)
        return format.isURL && GraphText.authority(of: url) == .userinfo ? endpoint(url) : nil
    }

    private static func rtspURL(_ value: String, _ schemes: [String], isSecret: Bool) -> Problem? {
        let scheme = GraphText.scheme(of: value) ?? ""
        guard schemes.contains(scheme.lowercased()) else {
            let shown = !isSecret && knownSchemes.contains(scheme.lowercased()) ? scheme : ""
            return Problem(
                code: .rtspEndpointUrlInvalidScheme,
                message: "Uri scheme '\(shown)' is not valid for an RTSP source endpoint. Valid values are: "
                    + schemes.joined(separator: ", ") + ".")
        }
        return endpoint(value)
    }

    private static func endpoint(_ value: String) -> Problem? {
        switch GraphText.authority(of: value) {
        case .host: nil
        case .userinfo:
            Problem(
                code: .endpointUrlInvalid,
                message: "The URL holds a user name or password: give them as credentials of the endpoint.")
        case .none:
            Problem(
                code: .endpointUrlInvalid,
                message: "The value must be a URL with a host and at most a port, such as rtsp://10.0.0.21:554/stream1."
            )
        }
    }
}
