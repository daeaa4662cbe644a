import Foundation

// Case files: what the language does, as text a person can read and a test can run.
//
//     # limit keeps the first rows of the sorted input
//     events
//     {"status":404}
//     {"status":200}
//
//     query
//     fields status | sort status | limit 1
//     ----
//     status
//     200
//
// A block begins with its kind, `query`, `error` or `explain`, and perhaps options; then come the
// text, a line of dashes, and what is expected, up to the next block. Lines with `#` before a block
// are its title. `events` (texts given right there) or `load FILE` say what the blocks after it run
// on, `table NAME` gives a lookup table as CSV and `saved NAME` a saved query to all blocks after it, `events in GROUP` adds events
// of another log group than `app` to it. With `RECORD=1` in the environment expectations are written
// anew and the test fails, so that
// someone reads the difference.

/// One query of a case file with what is expected of it.
package struct LanguageCase: Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    case query, error, explain
  }

  /// Name of the file without its folder and extension.
  package let file: String
  /// Line of the block's first word, from 1.
  package let line: Int
  package let title: String
  package let kind: Kind
  /// Words behind the kind, such as `strict`.
  package let options: [String]
  /// Texts of events, or none if `source` is given.
  package let events: [String]
  /// Texts of events of further log groups.
  package let otherGroups: [CaseGroup]
  /// Texts of lookup tables by name.
  package let tables: [String: String]
  /// Texts of saved queries by name, their defaults on lines before them.
  package let savedQueries: [String: String]
  /// A file of events, relative to the top of the project.
  package let source: String?
  package let text: String
  package let expected: String

  package var description: String { "\(file):\(line) \(title)" }
}

/// A log group of a case besides `app`.
package struct CaseGroup: Sendable {
  package let name: String
  package let events: [String]

  package init(name: String, events: [String]) {
    self.name = name
    self.events = events
  }
}

/// A file of cases.
package struct CaseFile: Sendable {
  package let path: String
  package let cases: [LanguageCase]

  /// Reads a file.
  ///
  /// - Throws: when the file cannot be read, or a block has no expectation.
  package init(path: String) throws {
    self.path = path
    var reader = CaseReader(
      lines: try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "\n"),
      file: URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent)
    cases = try reader.read()
  }

  /// All cases of the files `*.test` of a folder, by file name.
  package static func cases(inFolder folder: String) throws -> [LanguageCase] {
    try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".test") }.sorted()
      .flatMap { try CaseFile(path: "\(folder)/\($0)").cases }
  }

  /// Whether expectations are to be written anew.
  package static var isRecording: Bool { ProcessInfo.processInfo.environment["RECORD"] == "1" }

  /// Writes what came out in place of what was expected of one case.
  package static func record(_ actual: String, for target: LanguageCase, inFolder folder: String)
    throws
  {
    // One writer at a time: cases of one file run side by side.
    lock.lock()
    defer { lock.unlock() }
    let path = "\(folder)/\(target.file).test"
    let whole = try String(contentsOfFile: path, encoding: .utf8)
    let old = "\n\(target.text)\n----\n\(target.expected)"
    let new = "\n\(target.text)\n----\n\(actual)"
    guard let place = whole.range(of: old) else { return }
    try whole.replacingCharacters(in: place, with: new)
      .write(toFile: path, atomically: true, encoding: .utf8)
  }

  private static let lock = NSLock()
}

private struct CaseReader {
  let lines: [String]
  let file: String
  private var index = 0
  private var events: [String] = []
  private var source: String?
  private var otherGroups: [CaseGroup] = []
  private var tables: [String: String] = [:]
  private var savedQueries: [String: String] = [:]

  init(lines: [String], file: String) {
    self.lines = lines
    self.file = file
  }

  struct Malformed: Error, CustomStringConvertible {
    let description: String
  }

  mutating func read() throws -> [LanguageCase] {
    var cases: [LanguageCase] = []
    var title = ""
    while index < lines.count {
      let line = lines[index]
      let words = line.split(separator: " ").map(String.init)
      if line.hasPrefix("#") {
        title = String(line.drop { $0 == "#" || $0 == " " })
      } else if words.first == "events" {
        index += 1
        let block = takeBlock()
        if words.count == 3, words[1] == "in" {
          otherGroups.append(CaseGroup(name: words[2], events: block))
        } else {
          source = nil
          otherGroups = []
          events = block
        }
        continue
      } else if words.first == "table", words.count == 2 {
        index += 1
        tables[words[1]] = takeBlock().joined(separator: "\n")
        continue
      } else if words.first == "saved", words.count >= 2 {
        index += 1
        savedQueries[words.dropFirst().joined(separator: " ")] = takeBlock().joined(separator: "\n")
        continue
      } else if words.first == "load", words.count == 2 {
        source = words[1]
        events = []
        otherGroups = []
      } else if let word = words.first, let kind = LanguageCase.Kind(rawValue: word) {
        cases.append(try readCase(kind, Array(words.dropFirst()), title))
        continue
      } else if !words.isEmpty {
        throw Malformed(description: "\(file):\(index + 1): unknown block '\(line)'")
      }
      index += 1
    }
    return cases
  }

  private mutating func readCase(
    _ kind: LanguageCase.Kind, _ options: [String], _ title: String
  ) throws -> LanguageCase {
    let start = index + 1
    index += 1
    var text: [String] = []
    while index < lines.count, lines[index] != "----" {
      text.append(lines[index])
      index += 1
    }
    guard index < lines.count else {
      throw Malformed(description: "\(file):\(start): no line of dashes")
    }
    index += 1
    return LanguageCase(
      file: file, line: start, title: title, kind: kind, options: options, events: events,
      otherGroups: otherGroups, tables: tables, savedQueries: savedQueries,
      source: source, text: text.joined(separator: "\n"),
      expected: takeBlock().joined(separator: "\n"))
  }

  /// The lines up to a blank one.
  private mutating func takeBlock() -> [String] {
    var block: [String] = []
    while index < lines.count, !lines[index].isEmpty {
      block.append(lines[index])
      index += 1
    }
    return block
  }
}
