import Recording

/// Holds the texts of nodes to their formats, with as much put in for `${}` as is known.
struct ValueChecker {
    let api: APIVersion
    let substitution: Substitution
    var mistakes: [GraphError.Detail] = []

    init(api: APIVersion, substitution: Substitution) {
        self.api = api
        self.substitution = substitution
    }

    /// `texts`: those of the node that are to be checked.
    mutating func check(_ node: GraphNode, _ texts: [PlacedText]) {
        let before = mistakes.count
        for text in texts { check(text, in: node) }
        guard mistakes.count == before, node.type == .signalGate,
            let minimum = duration(node.properties["minimumActivationTime"]),
            let maximum = duration(node.properties["maximumActivationTime"]), minimum > maximum
        else { return }
        note(
            .graphValidationError, at: node.path + ".MinimumActivationTime",
            "A gate cannot be open for longer than maximumActivationTime: make this no greater.")
    }

    /// Nil while it is not known; of a text that was found right.
    private func duration(_ value: NodeValue?) -> TimeSpan? {
        guard let text = value?.text.map({ substitution.resolve(Template($0)) }), text.isComplete else { return nil }
        return GraphText.duration(text.example)
    }

    private mutating func check(_ placed: PlacedText, in node: GraphNode) {
        let (text, template, format, path) = (placed.text, placed.template, placed.format, placed.path)
        let before = mistakes.count
        if format == .nodeName {
            guard !text.isEmpty, template.references.isEmpty, template.isClosed else {
                return note(.propertyValueInvalidFormat, at: path, "A node's name is a text of its own, without ${}.")
            }
            if text.utf8.count > GraphLimits.nodeNameLength {
                note(
                    .propertyValueOutOfRange, at: path,
                    "A node's name must have at most \(GraphLimits.nodeNameLength) bytes.")
            }
            return
        }
        if let problem = FormatRules.literalProblem(with: text, as: format) {
            return note(problem.code, at: path, problem.message)
        }
        references(of: template, as: format, at: path, isShown: !(format.isURL && text.contains("@")))
        guard mistakes.count == before else { return }
        let resolved = substitution.resolve(template)
        guard resolved.length <= GraphLimits.textLength else {
            return note(
                .propertyValueOutOfRange, at: path,
                "The value must have at most \(GraphLimits.textLength) bytes with its parameters put in."
                    + origin(of: template))
        }
        guard let problem = FormatRules.problem(with: resolved, as: format, in: api) else { return }
        let place = problem.code == .rtspEndpointUrlInvalidScheme ? node.path : path
        note(problem.code, at: place, problem.message + origin(of: template))
    }

    /// Where to look when the text came out of parameters.
    private func origin(of template: Template) -> String {
        var names: [String] = []
        for name in template.references where SystemVariable(name) == nil && !names.contains(name) {
            names.append(name)
        }
        guard !names.isEmpty else { return "" }
        let more = names.count > 3 ? " and others" : ""
        return " The value comes from \(names.prefix(3).map { "${\($0)}" }.joined(separator: ", "))\(more)."
    }

    /// `isShown`: nothing in the text is a secret that its author wrote where none belongs.
    private mutating func references(of template: Template, as format: Format, at path: String, isShown: Bool) {
        let names = template.references
        guard names.count <= GraphLimits.references else {
            return note(
                .propertyValueOutOfRange, at: path,
                "The value must have at most \(GraphLimits.references) references: leave some out.")
        }
        if !template.isClosed {
            note(.parameterReferenceInvalid, at: path, "A ${ has no closing }: close it, or leave it out.")
        }
        for name in names {
            if let variable = SystemVariable(name) {
                if (variable == .dateTime || variable == .preciseDateTime) && !format.takesTime {
                    note(
                        .systemVariableNotAllowed, at: path,
                        "${\(name)} can be used in names of assets and files alone: leave it out.")
                }
            } else if let declaration = substitution.declaration(name) {
                if declaration.isSecret && !format.takesSecrets {
                    let reason = declaration.type == .secretString ? "is a SecretString" : "is a password, too"
                    note(
                        .parameterTypeNotAllowed, at: path,
                        "${\(name)} \(reason), and this value is shown: use another parameter, of type String.")
                }
            } else {
                // Part of a secret may look like a reference.
                let isName = isShown && format != .secret && name.utf8.count <= GraphLimits.parameterNameLength
                let shown = isName ? "${\(name)}" : "A ${} in the value"
                note(
                    .parameterNotDeclared, at: path,
                    "\(shown) is no system variable and no parameter of the topology: declare it.")
            }
        }
    }

    private mutating func note(_ code: DetailCode, at path: String, _ message: String) {
        mistakes.append(GraphError.Detail(code, at: path, message))
    }
}
