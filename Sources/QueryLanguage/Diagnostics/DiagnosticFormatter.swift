// Diagnostics as text for people.
//
//     1:17: error: unknown command 'limt' [E106 unknown-command]
//       1 | fields status | limt 2
//         |                 ^~~~ did you mean 'limit'?
//         = help: replace 'limt' with 'limit'
//
// The line is shown as a terminal would: tabs become blanks up to the next stop of four, control
// characters a visible stand-in, so that a query cannot drive the terminal. The underline counts
// columns, not characters: a wide character takes two of them and a combining mark none. A long
// line is cut to a window around the place.

/// Renders diagnostics with the line they are about and an underline.
package struct DiagnosticFormatter: Sendable {
  package var source: SourceText
  /// What the text is called, such as a file's name; it goes before line and column.
  package var name: String?
  /// Whether ANSI colours are put in.
  package var usesColor: Bool
  /// The columns a line of the query may take; longer ones are cut to a window.
  package var width: Int

  package init(
    source: SourceText, name: String? = nil, usesColor: Bool = false, width: Int = 100
  ) {
    self.source = source
    self.name = name
    self.usesColor = usesColor
    self.width = max(width, 40)
  }

  /// All diagnostics, a blank line between them; no line end after the last.
  package func format(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.map { format($0) }.joined(separator: "\n\n")
  }

  /// One diagnostic; several lines, no line end after the last.
  package func format(_ diagnostic: Diagnostic) -> String {
    let severity = diagnostic.severity
    // Of what is said when the query has run, not all has a place in the text.
    let hasPlace = severity == .error || diagnostic.range != .none
    let location = source.location(of: diagnostic.range.start)
    let place = hasPlace ? "\(location.line):\(location.column):" : ""
    let prefix = (name.map { "\($0):" } ?? "") + place
    var lines = [
      (prefix.isEmpty ? "" : paint(prefix, .bold) + " ")
        + paint("\(severity.rawValue):", Style(severity)) + " "
        + paint(Self.visible(diagnostic.message), .bold) + " [\(diagnostic.id)]"
    ]
    if hasPlace {
      lines += excerpt(diagnostic.range, label: diagnostic.label, style: Style(severity))
    }
    for note in diagnostic.notes {
      lines.append(gutter("= ") + paint("note:", .note) + " " + Self.visible(note.message))
      if let range = note.range { lines += excerpt(range, label: nil, style: .note) }
    }
    // A label that asks the question has given the answer already.
    let isAsked = diagnostic.label?.hasPrefix("did you mean") == true
    for fixIt in isAsked ? [] : diagnostic.fixIts {
      lines.append(gutter("= ") + paint("help:", .help) + " " + Self.visible(fixIt.message))
    }
    return lines.joined(separator: "\n")
  }

  // MARK: Excerpts

  /// The line of `range` and, below, its underline.
  private func excerpt(_ range: SourceRange, label: String?, style: Style) -> [String] {
    let lineIndex = source.lineIndex(of: range.start)
    let line = source.lineRange(lineIndex)
    let shown = ShownLine(source, line: line, marking: range, width: width)
    let underline = "^" + String(repeating: "~", count: max(0, shown.markColumns - 1))
    let number = String(lineIndex + 1)
    let pad = String(repeating: " ", count: gutterWidth - number.count)
    let indent = String(repeating: " ", count: shown.markStart)
    let words = label.map { " " + Self.visible($0) } ?? ""
    return [
      paint("  \(pad)\(number) | ", .gutter) + shown.text,
      gutter("| ") + indent + paint(underline + words, style),
    ]
  }

  private var gutterWidth: Int { String(source.lineCount).count }

  private func gutter(_ sign: String) -> String {
    paint(String(repeating: " ", count: gutterWidth + 3) + sign, .gutter)
  }

  /// A text in which every control character has a visible stand-in.
  static func visible(_ text: String) -> String {
    String(text.map { visible($0) })
  }

  static func visible(_ character: Character) -> Character {
    guard let scalar = character.unicodeScalars.first else { return character }
    switch scalar.properties.generalCategory {
    case .control where scalar.value < 0x20:
      return Character(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}")
    case .control, .lineSeparator, .paragraphSeparator: return "\u{FFFD}"
    case .format where isDirectional(scalar): return "\u{FFFD}"
    default: return character
    }
  }

  /// Marks that would turn the order of the letters around them.
  private static func isDirectional(_ scalar: Unicode.Scalar) -> Bool {
    (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
  }

  // MARK: Colours

  private enum Style: String {
    case bold = "1"
    case error = "1;31"
    case warning = "1;33"
    case hint = "1;36"
    case note = "36"
    case help = "32"
    case gutter = "2"

    init(_ severity: DiagnosticSeverity) {
      switch severity {
      case .error: self = .error
      case .warning: self = .warning
      case .hint: self = .hint
      }
    }
  }

  private func paint(_ text: String, _ style: Style) -> String {
    usesColor ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }
}

/// A line of the query as a terminal shows it, cut to a window, with the place of the mark in it.
private struct ShownLine {
  private(set) var text = ""
  /// The column, from 0, at which the mark begins.
  private(set) var markStart = 0
  /// The columns the mark takes; 0 for an empty range.
  private(set) var markColumns = 0

  private static let tabStop = 4

  init(_ source: SourceText, line: SourceRange, marking range: SourceRange, width: Int) {
    let (cells, mark) = Self.layOut(source, line: line, marking: range)
    let total = cells.reduce(0) { $0 + $1.columns }
    guard total > width else {
      text = cells.map(\.text).joined()
      (markStart, markColumns) = (mark.lowerBound, mark.count)
      return
    }
    cut(cells, total: total, mark: mark, width: width)
  }

  /// One character as it is shown, with the columns it takes.
  private typealias Cell = (text: String, columns: Int)

  private static func layOut(
    _ source: SourceText, line: SourceRange, marking range: SourceRange
  ) -> ([Cell], Range<Int>) {
    var cells: [Cell] = []
    var column = 0
    var offset = line.start
    var start: Int?
    var end = 0
    for character in source[line] {
      let next = offset + character.utf8.count
      if start == nil, range.start < next { start = column }
      var cell: Cell = (String(DiagnosticFormatter.visible(character)), 0)
      if character == "\t" {
        cell.columns = tabStop - column % tabStop
        cell.text = String(repeating: " ", count: cell.columns)
      } else {
        cell.columns = DisplayWidth.columns(of: cell.text)
      }
      cells.append(cell)
      column += cell.columns
      if offset < range.end { end = column }
      offset = next
    }
    let from = start ?? column
    return (cells, from..<max(from, range.isEmpty ? from : end))
  }

  /// Keeps the cells around the mark, with `…` where something is left out.
  private mutating func cut(_ cells: [Cell], total: Int, mark: Range<Int>, width: Int) {
    let room = width - 2
    let lead = max(0, (room - mark.count) / 2)
    let first = max(0, min(mark.lowerBound - min(lead, room / 2), total - room))
    var column = 0
    var kept = 0
    var shownStart: Int?
    for cell in cells {
      defer { column += cell.columns }
      guard column >= first, column + cell.columns <= first + room else { continue }
      if shownStart == nil { shownStart = column }
      text += cell.text
      kept = column + cell.columns
    }
    let start = shownStart ?? first
    let prefix = start > 0 ? "…" : ""
    text = prefix + text + (kept < total ? "…" : "")
    markStart = max(0, mark.lowerBound - start) + prefix.count
    markColumns = max(0, min(mark.upperBound, kept) - max(mark.lowerBound, start))
  }
}
