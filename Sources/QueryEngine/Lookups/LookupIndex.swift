import Columnar

/// Finds the first row of a table whose columns have given texts.
///
/// Texts are compared byte by byte. Those of several columns are put behind one another, each with its
/// length in front, so that `a, bc` and `ab, c` stay apart.
struct LookupIndex: Sendable {
  private var rows: [[UInt8]: Int32] = [:]
  private(set) var byteCount = 0

  init(_ table: LookupTable, columns: [Int]) {
    for row in 0..<table.rowCount {
      guard let key = Self.key(columns.map { table.cell(row: row, column: $0) }),
        rows[key] == nil
      else { continue }
      rows[key] = Int32(row)
      byteCount += key.count + 64
    }
  }

  /// The row for the values of one event; a missing or empty value and a structure meet nothing.
  func row(for values: [Value]) -> Int? {
    Self.key(values.map(\.text)).flatMap { rows[$0] }.map(Int.init)
  }

  private static func key(_ texts: [String?]) -> [UInt8]? {
    var key: [UInt8] = []
    for text in texts {
      guard let text, !text.isEmpty else { return nil }
      if texts.count > 1 {
        withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { key += $0 }
      }
      key += text.utf8
    }
    return key
  }
}
