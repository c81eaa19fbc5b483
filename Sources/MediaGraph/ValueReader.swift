import JSON
import Recording

/// Turns JSON into what a node holds, and gathers everything that is of the wrong kind or missing.
struct ValueReader {
    let api: APIVersion
    /// Opens what was sealed for the disk; nil for what a client sent, which cannot seal.
    let open: ((String) throws -> Secret)?
    var mistakes: [GraphError.Detail] = []
    /// Bytes that all texts together may still have.
    private var room: Int

    init(api: APIVersion, room: Int, open: ((String) throws -> Secret)? = nil) {
        self.api = api
        self.room = room
        self.open = open
    }

    /// False, and a mistake, when a text is longer than any is, or all of them together are; told once for all.
    mutating func fits(_ text: String, at path: String) -> Bool {
        let length = text.utf8.count
        guard length <= GraphLimits.textLength else {
            note(.propertyValueOutOfRange, at: path, "The value must have at most \(GraphLimits.textLength) bytes.")
            return false
        }
        let hadRoom = room >= 0
        if hadRoom { room -= length }
        if hadRoom && room < 0 {
            note(.propertyValueOutOfRange, at: path, "All values together are too long: shorten this or others.")
        }
        return room >= 0
    }

    mutating func note(_ code: DetailCode, at path: String, _ message: String) {
        mistakes.append(GraphError.Detail(code, at: path, message))
    }

    /// Nil after a mistake; `kept`: what was there before, of which secrets stay that are not given again.
    mutating func read(
        _ value: JSONValue, as shape: Shape, at path: String, keeping kept: NodeValue? = nil
    ) -> NodeValue? {
        switch shape {
        case .text(let format): return text(value, as: format, at: path)
        case .list(let element):
            guard case .array(let elements) = value else {
                note(.propertyValueInvalidType, at: path, "The value must be a list.")
                return nil
            }
            guard fits(elements, at: path) else { return nil }
            return .list(
                elements.enumerated().compactMap { index, value in read(value, as: element, at: "\(path)[\(index)]") })
        case .object(let properties):
            guard case .object = value else {
                note(.propertyValueInvalidType, at: path, "The value must be an object.")
                return nil
            }
            return .object(members(of: Members(value), as: properties, at: path, keeping: kept))
        case .variants(let variants): return variant(value, of: variants, at: path, keeping: kept)
        }
    }

    /// False, and a mistake, when a list is longer than any is.
    mutating func fits(_ elements: [JSONValue], at path: String) -> Bool {
        if elements.count <= GraphLimits.listLength { return true }
        note(.propertyValueOutOfRange, at: path, "The list must have at most \(GraphLimits.listLength) elements.")
        return false
    }

    /// The properties of an object that are known; each that is missing or wrong is a mistake.
    ///
    /// A secret that is missing stays what it was, for nobody who sends back what was shown has it.
    mutating func members(
        of object: Members, as properties: [Property], at path: String, keeping kept: NodeValue? = nil
    ) -> [String: NodeValue] {
        var result: [String: NodeValue] = [:]
        for property in properties where property.version == nil || property.version == api {
            let place = "\(path).\(property.pathName)"
            if let value = object[property.name] {
                result[property.name] = read(value, as: property.shape, at: place, keeping: kept?[property.name])
            } else if case .secret? = kept?[property.name] {
                result[property.name] = kept?[property.name]
            } else if property.isRequired(in: api) {
                note(.propertyRequired, at: place, "The value is required: add \(property.name).")
            }
        }
        return result
    }

    private mutating func variant(
        _ value: JSONValue, of variants: [Variant], at path: String, keeping kept: NodeValue?
    ) -> NodeValue? {
        guard case .object = value else {
            note(.propertyValueInvalidType, at: path, "The value must be an object.")
            return nil
        }
        let object = Members(value)
        let names = variants.map { NodeShapes.prefix + $0.type }
        guard case .string(let type) = object["@type"],
            let found = zip(names, variants).first(where: { $0.0.lowercased() == type.lowercased() })
        else {
            note(.propertyValueNotSupported, at: path, "Its @type must be one of \(names.joined(separator: ", ")).")
            return nil
        }
        let before = kept?["@type"]?.text == found.0 ? kept : nil
        var result = members(of: object, as: found.1.properties, at: path, keeping: before)
        result["@type"] = .scalar(.string(found.0))
        return .object(result)
    }

    private mutating func text(_ value: JSONValue, as format: Format, at path: String) -> NodeValue? {
        if let secret = sealed(value, at: path) { return .secret(secret) }
        switch value {
        case .string(let text):
            guard fits(text, at: path) else { return nil }
            return format == .secret && !Template(text).isReferencesAlone ? .secret(Secret(text)) : .scalar(value)
        case .integer, .number, .bool:
            if format.takesScalars { return .scalar(value) }
        case .null, .array, .object: break
        }
        note(.propertyValueInvalidType, at: path, "The value must be a string.")
        return nil
    }

    /// The secret of `{"@sealed": text}`, where the disk is read; nil for anything else.
    mutating func sealed(_ value: JSONValue, at path: String) -> Secret? {
        guard let open, case .string(let text) = value[SecretForm.mark] else { return nil }
        do {
            return try open(text)
        } catch {
            note(.resourceValidationError, at: path, "The secret cannot be opened with this box's key: set it again.")
            return Secret("")
        }
    }
}
