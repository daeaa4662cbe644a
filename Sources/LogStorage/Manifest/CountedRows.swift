import Columnar

/// Events of which only the number is asked for: of a segment whose events are all wanted the manifest knows it, of a
/// row group the directory of its segment. `stats count(*)` over ten thousand segments reads the manifest and no more.
///
/// They come in pieces as large as row groups, whatever segments they lie in.
final class CountedRows: RowGroup {
  let rowCount: Int
  let ordinal: Int
  let logGroup: String

  init(rowCount: Int, ordinal: Int, logGroup: String) {
    self.rowCount = rowCount
    self.ordinal = ordinal
    self.logGroup = logGroup
  }

  var visibleRows: Range<Int> { 0..<rowCount }
  var boundOfRest: Int64? { nil }
  var rawByteCount: Int { 0 }

  private var notAsked: StorageError {
    StorageError(.invalidArgument, "only the number of events was asked for, not what they hold")
  }

  func timestamps() throws -> [Int64] { throw notAsked }
  func ingestionTimes() throws -> [Int64] { throw notAsked }
  func sequenceNumbers(_ rows: SelectionVector?) throws -> [UInt64] { throw notAsked }
  func streams() throws -> ColumnVector { throw notAsked }
  func messages(_ rows: SelectionVector?) throws -> StringVector { throw notAsked }
  func column(_ field: String, rows: SelectionVector?) throws -> ColumnVector { throw notAsked }
  func discoveredFields() throws -> [(name: String, rowCount: Int)] { throw notAsked }
  func mayHave(_ field: String) -> Bool { true }
  func mayMatch(_ predicate: FieldPredicate) -> Bool { true }
}
