import Recording

/// A property of a node: its name, what it holds, and which API version asks for it.
struct Property: Sendable {
    enum Need: Hashable, Sendable {
        case optional
        case required
        /// LVA's schema of API 1.0 does not ask for it.
        case requiredInV2
    }

    /// In LVA's spelling.
    var name: String
    var shape: Shape
    var need: Need
    /// Nil: of both.
    var version: APIVersion?

    init(_ name: String, _ shape: Shape, _ need: Need = .optional, only version: APIVersion? = nil) {
        self.name = name
        self.shape = shape
        self.need = need
        self.version = version
    }

    func isRequired(in api: APIVersion) -> Bool {
        switch need {
        case .optional: false
        case .required: true
        case .requiredInV2: api == .v2
        }
    }

    /// As paths of errors spell it.
    var pathName: String { name.prefix(1).uppercased() + name.dropFirst() }
}

/// What a property holds.
indirect enum Shape: Sendable {
    case text(Format)
    case list(Shape)
    case object([Property])
    /// An object whose `@type` says which of these it is.
    case variants([Variant])
}

/// One of the types that an object may be of.
struct Variant: Sendable {
    /// Without `#Microsoft.Media.`.
    var type: String
    var properties: [Property]

    init(_ type: String, _ properties: [Property] = []) {
        self.type = type
        self.properties = properties
    }
}

/// Which texts are right.
enum Format: Hashable, Sendable {
    /// The name of a node: not empty, and never a parameter's.
    case nodeName
    /// What an input or an output of the module is called.
    case moduleName
    /// Any text that everyone may see.
    case text
    /// Any text that a SecretString may be part of, though itself it is shown.
    case discreetText
    /// The same on one line, as it goes into a header of a protocol.
    case discreetLine
    /// A line that is never shown, unless it is nothing but references.
    case secret
    case rtspURL([String])
    case url
    case choice([String])
    case integer(ClosedRange<Int64>)
    /// Above zero.
    case decimal
    case boolean
    /// In a range, and on a grid where one is given.
    case duration(ClosedRange<TimeSpan>, step: TimeSpan?)
    case absolutePath
    case assetName
    case fileName
    /// Directory and name of a file in one (API 1.0).
    case filePath

    /// Whether times may be part of it: they are put in when a recording starts.
    var takesTime: Bool {
        switch self {
        case .assetName, .fileName, .filePath: true
        default: false
        }
    }

    /// Whether it is never shown in events, names of files or listings.
    var takesSecrets: Bool {
        switch self {
        case .discreetText, .discreetLine, .secret, .rtspURL, .url: true
        default: false
        }
    }

    var isURL: Bool {
        switch self {
        case .rtspURL, .url: true
        default: false
        }
    }

    /// Whether a bare number or boolean may stand for the text.
    var takesScalars: Bool {
        switch self {
        case .integer, .decimal, .boolean, .duration: true
        default: false
        }
    }
}
