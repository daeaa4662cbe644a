/// A table that queries look things up in: named columns, rows in file order, cells that are texts.
package struct LookupTable: Sendable {
  /// The greatest size of a table's text, in bytes.
  package static let largestText = 10 << 20

  /// The names of the columns, in order; each is there once.
  package let columns: [String]
  /// The cells, row after row; an empty one is missing.
  private let cells: [String]
  /// The line of each row in the text, from 1.
  private let lines: [Int32]
  /// About how many bytes it takes in memory.
  let byteCount: Int

  /// Reads CSV (RFC 4180) with a header, in UTF-8.
  ///
  /// - Throws: what is wrong with the text, and on which line.
  package init(csv bytes: [UInt8]) throws(LookupTableError) {
    guard bytes.count <= Self.largestText else {
      throw LookupTableError("the table is larger than \(Self.largestText >> 20) MB")
    }
    var reader = TableReader(bytes)
    guard let header = try reader.next() else {
      throw LookupTableError("the table is empty; its first line must name the columns")
    }
    try Self.check(header, line: reader.recordLine)
    var cells: [String] = []
    var lines: [Int32] = []
    while let record = try reader.next() {
      guard record.count == header.count else {
        let count = "\(record.count) cell\(record.count == 1 ? "" : "s")"
        throw LookupTableError(
          line: reader.recordLine, "\(count) where the header has \(header.count)")
      }
      cells += record
      lines.append(Int32(clamping: reader.recordLine))
    }
    columns = header
    self.cells = cells
    self.lines = lines
    byteCount = bytes.count + cells.count * MemoryLayout<String>.stride + lines.count * 4
  }

  private static func check(_ header: [String], line: Int) throws(LookupTableError) {
    var known: Set<[UInt8]> = []
    for name in header {
      guard !name.isEmpty else { throw LookupTableError(line: line, "a column has no name") }
      guard known.insert(Array(name.utf8)).inserted else {
        throw LookupTableError(line: line, "column '\(name)' is there twice")
      }
    }
  }

  package var rowCount: Int { lines.count }

  /// The text of a cell; `nil` if it is missing.
  func cell(row: Int, column: Int) -> String? {
    let text = cells[row * columns.count + column]
    return text.isEmpty ? nil : text
  }

  /// The line of the text on which a row begins.
  func line(ofRow row: Int) -> Int { Int(lines[row]) }

  /// The place of a column; names are compared exactly.
  func column(named name: String) -> Int? {
    columns.firstIndex { $0.utf8.elementsEqual(name.utf8) }
  }
}

/// Where a query finds its tables.
package struct LookupTables: Sendable {
  /// The names of all tables, for messages.
  package let names: @Sendable () -> [String]
  /// The table of a name; `nil` if there is none. Throws when it cannot be read.
  package let table: @Sendable (String) throws -> LookupTable?

  package init(
    names: @escaping @Sendable () -> [String],
    table: @escaping @Sendable (String) throws -> LookupTable?
  ) {
    self.names = names
    self.table = table
  }

  /// Tables that are in memory.
  package init(_ tables: [String: LookupTable]) {
    self.init(names: { tables.keys.sorted() }, table: { tables[$0] })
  }
}
