package import Columnar

/// Up to 65,536 events of one log group, time ordered, read column by column: the unit of work of
/// every query (a *morsel*).
///
/// A row group is handed to one worker, used by it alone and dropped. Columns are read and decoded
/// on first need. Rows are in ascending (time, sequence) order; `visibleRows` are those that the scan's window and
/// the retention of the group leave. All methods throw `StorageError` (code `damaged`, with file, row group and
/// column) when bytes fail their checksum.
package protocol RowGroup: AnyObject {
  /// Rows stored, visible or not.
  var rowCount: Int { get }
  /// The rows a query may see.
  var visibleRows: Range<Int> { get }
  /// Position in the order of the scan, from 0: partial results merged by it do not depend on which
  /// worker ran when.
  var ordinal: Int { get }
  /// Name of the log group the rows belong to.
  var logGroup: String { get }
  /// For ordered scans: no row group handed out later has an event newer (newest-first scans) or
  /// older (oldest-first scans) than this, in ms. `nil` when nothing follows.
  var boundOfRest: Int64? { get }
  /// The times of its events lie in here, in ms; `nil` where that is not known without reading them.
  var timeRange: ClosedRange<Int64>? { get }
  /// Bytes of the events' texts.
  var rawByteCount: Int { get }

  /// Gives the same row group once more, to any worker at any time; `nil` where that would keep more than its
  /// place in memory.
  var again: (@Sendable () throws -> any RowGroup)? { get }

  /// What is told of the reading; `nil` unless this came from ``traced(by:)``.
  var trace: ReadTrace? { get }
  /// The same rows, read with nothing decoded yet and every reading told; `nil` where nothing is told.
  func traced(by trace: ReadTrace) throws -> (any RowGroup)?

  /// Event times in ms, one per stored row, ascending.
  func timestamps() throws -> [Int64]
  /// Arrival times in ms, one per stored row.
  func ingestionTimes() throws -> [Int64]
  /// Numbers that order events of equal time by arrival, unique in the store; one for each of `rows`, or of
  /// all stored rows.
  func sequenceNumbers(_ rows: SelectionVector?) throws -> [UInt64]
  /// Stream names, one per stored row.
  func streams() throws -> ColumnVector

  /// The exact texts of events. `rows` are ascending stored-row numbers; `nil` means all.
  ///
  /// - Complexity: O(bytes of the texts asked for)
  func messages(_ rows: SelectionVector?) throws -> StringVector

  /// Says that the texts of these rows, ascending, will be read soon, so that the system can fetch what they are made of.
  func willReadMessages(_ rows: SelectionVector) throws

  /// A discovered field by its dotted display name, for the given stored rows (`nil`: all). JSON
  /// leaves keep their type; a path that stops at an object or array gives maps or lists; fields of
  /// text events (`@type`, `@requestId`, VPC flow columns …) are found in their text.
  func column(_ field: String, rows: SelectionVector?) throws -> ColumnVector

  /// How many of all stored rows have each value of a field, values that several columns hold once for each, if that can
  /// be told without looking at which rows they are; else `nil`.
  func counts(of field: String) throws -> [CountedValues]?

  /// The numbers of a field that only some of all stored rows have, and which rows; `nil` where most rows have it, where
  /// different values are better looked at once each, and where values are not in one place.
  func placedValues(of field: String) throws -> PlacedValues?

  /// The rows whose field, as a text, holds one of some literals, if that can be told without putting the texts
  /// together; else `nil`. Bits are those of `rows`, or of all stored rows.
  func search(
    _ field: String, for literals: [ByteSearch], rows: SelectionVector?
  ) throws -> Bitmap?
  /// The rows whose field is exactly a text, if that is found without reading the field's values; else
  /// `nil`. Bits are those of `rows`, or of all stored rows.
  func find(_ field: String, equal text: [UInt8], rows: SelectionVector?) throws -> Bitmap?
  /// The rows that have a field; asked only where ``search(_:for:rows:)`` gave an answer.
  func presence(of field: String, rows: SelectionVector?) throws -> Bitmap
  /// The rows whose text holds one of some literals, if that can be told without putting the texts together; else
  /// `nil`. Bits are those of `rows`, or of all stored rows.
  func searchMessages(for literals: [ByteSearch], rows: SelectionVector?) throws -> Bitmap?

  /// The records as shapes and columns, if that is how they are held; else `nil`.
  func recordParts() throws -> RecordParts?

  /// Whether any row can have this field; `false` is certain.
  func mayHave(_ field: String) -> Bool
  /// Whether any row can satisfy the predicate, judged without reading data; `false` is certain.
  func mayMatch(_ predicate: FieldPredicate) -> Bool

  /// Names of the fields a query discovers by itself, with the number of rows that have each;
  /// in order of first appearance.
  func discoveredFields() throws -> [(name: String, rowCount: Int)]
}

/// Values and how many rows have each, at least one.
package struct CountedValues {
  package let values: ColumnVector
  package let counts: [Int64]
}

/// Values of a field in the order of their rows.
package struct PlacedValues {
  /// None of them missing.
  package let values: ColumnVector
  /// Row of each value, ascending; the other rows have none.
  package let rows: SelectionVector
}

extension RowGroup {
  package var timeRange: ClosedRange<Int64>? { nil }

  package var again: (@Sendable () throws -> any RowGroup)? { nil }

  package var trace: ReadTrace? { nil }

  package func traced(by trace: ReadTrace) throws -> (any RowGroup)? { nil }

  package func willReadMessages(_ rows: SelectionVector) throws {}

  package func sequenceNumbers() throws -> [UInt64] { try sequenceNumbers(nil) }

  package func recordParts() throws -> RecordParts? { nil }

  package func counts(of field: String) throws -> [CountedValues]? { nil }

  package func placedValues(of field: String) throws -> PlacedValues? { nil }

  package func search(
    _ field: String, for literals: [ByteSearch], rows: SelectionVector?
  ) throws -> Bitmap? { nil }

  package func find(
    _ field: String, equal text: [UInt8], rows: SelectionVector?
  ) throws -> Bitmap? { nil }

  package func presence(of field: String, rows: SelectionVector?) throws -> Bitmap {
    try column(field, rows: rows).presence()
  }

  package func searchMessages(
    for literals: [ByteSearch], rows: SelectionVector?
  ) throws -> Bitmap? { nil }
}
