/// A list of queries as the files in `Grammar/` write it.
///
/// A line is a query, with the codes of its diagnostics in front if it has some; `#` begins a comment,
/// `␤` stands for a line break, and `«…»` marks the place of a diagnostic.
package enum QueryList {
  /// One query with what is expected of it.
  package struct Entry: Sendable, CustomStringConvertible {
    package var line: Int
    /// The query without marks.
    package var text: String
    package var codes: [String]
    /// The marked places, as byte offsets into `text`.
    package var places: [Range<Int>]

    package var description: String { "line \(line): \(text)" }
  }

  /// The entries of a list.
  package static func entries(of text: String) -> [Entry] {
    text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .filter { !$1.isEmpty && !$1.hasPrefix("#") }
      .map { entry($1, line: $0 + 1) }
  }

  private static func entry(_ line: Substring, line number: Int) -> Entry {
    var rest = line
    var codes: [String] = []
    if let first = line.split(separator: " ", maxSplits: 1).first, isCodes(first) {
      codes = first.split(separator: ",").map(String.init)
      rest = line.dropFirst(first.count + 1)
    }
    var entry = Entry(line: number, text: "", codes: codes, places: [])
    var start = 0
    for character in rest {
      switch character {
      case "␤": entry.text += "\n"
      case "«": start = entry.text.utf8.count
      case "»": entry.places.append(start..<entry.text.utf8.count)
      default: entry.text.append(character)
      }
    }
    return entry
  }

  private static func isCodes(_ word: Substring) -> Bool {
    word.split(separator: ",").allSatisfy { code in
      code.count == 4 && "EWH".contains(code.first ?? " ")
        && code.dropFirst().allSatisfy(\.isNumber)
    }
  }
}
