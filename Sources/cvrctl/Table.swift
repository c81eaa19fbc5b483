/// Text in columns.
struct Table {
    struct Column {
        var title: String
        var alignsRight = false
        /// What goes first when the terminal is narrow: the highest; 0 stays.
        var dispensability = 0
    }

    let columns: [Column]
    /// Each with as many cells as there are columns; `isAlarming` marks it.
    private(set) var rows: [(cells: [String], isAlarming: Bool)] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: [String], isAlarming: Bool = false) {
        rows.append((cells.map(Terminal.plain), isAlarming))
    }

    /// Lines of at most the terminal's width, unless what may not be left out is wider.
    func text(for terminal: Terminal) -> String {
        let widths = columns.indices.map { index in
            rows.reduce(columns[index].title.count) { max($0, $1.cells[index].count) }
        }
        let marks = rows.contains { $0.isAlarming }
        var shown = Array(columns.indices)
        while shown.reduce(marks ? 0 : -2, { $0 + widths[$1] + 2 }) > terminal.columns,
            let next = shown.max(by: { columns[$0].dispensability < columns[$1].dispensability }),
            columns[next].dispensability > 0
        {
            shown.removeAll { $0 == next }
        }
        let line = { (cells: [String], isAlarming: Bool) in
            let cells = shown.map { pad(cells[$0], widths[$0], columns[$0].alignsRight) }.joined(separator: "  ")
            var text = (marks ? (isAlarming ? "! " : "  ") : "") + cells
            while text.last == " " { text.removeLast() }
            return (isAlarming ? terminal.alarming(text) : text) + "\n"
        }
        return line(columns.map(\.title), false) + rows.map { line($0.cells, $0.isAlarming) }.joined()
    }

    private func pad(_ text: String, _ width: Int, _ alignsRight: Bool) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return alignsRight ? space + text : text + space
    }
}

/// Breaks text between words at a width; lines after the first are indented.
func wrapped(_ text: String, at width: Int, indent: Int) -> String {
    var lines: [String] = []
    var line = ""
    for word in Terminal.plain(text).split(separator: " ") {
        if !line.isEmpty, line.count + 1 + word.count > width {
            lines.append(line)
            line = String(repeating: " ", count: indent) + word
        } else {
            line += (line.isEmpty ? "" : " ") + word
        }
    }
    return (lines + [line]).joined(separator: "\n") + "\n"
}
