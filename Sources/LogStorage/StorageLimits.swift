/// Every limit of the store in one place, each with its unit and its reason.
package enum StorageLimits {
  /// Rows in one row group: codes of a dictionary and row numbers fit in 16 bits, a selection
  /// bitmap in 8 KiB.
  package static let rowsPerRowGroup = 65_536
  /// Raw bytes after which a row group is closed even with fewer rows; bounds ingestion memory.
  package static let rawBytesPerRowGroup = 32 << 20
  /// The longest event in bytes; longer ones are rejected (1 MiB in AWS; real Spark logs have
  /// larger ones, and a longer text costs nothing but memory).
  package static let bytesPerEvent = 16 << 20
  /// Nesting after which a JSON text is stored as plain text.
  package static let jsonDepth = 128
  /// Scalars in one event after which it is stored as plain text.
  package static let slotsPerEvent = 4_096
  /// Elements of an array that get columns of their own; longer arrays are kept as one value.
  package static let positionalElementsPerArray = 16
  /// Slots that arrays of one event may take before further arrays are kept as one value each.
  package static let positionalSlotsPerEvent = 256
  /// Fields of an event that a query discovers by itself; named ones are found beyond it.
  package static let discoveredFieldsPerEvent = 200
  /// Raw bytes of small chunks that are compressed together: what reading one of them costs, about a millisecond.
  package static let packByteCount = 1 << 20
  /// Columns in one row group; records whose paths would need more are stored as text.
  package static let columnsPerRowGroup = 65_000
  /// The same in a row group that only lives in memory, and the columns of others above which those of few values
  /// always share their chunks.
  package static let columnsBySelf = 4_096
  /// Columns up to which those of few values never share their chunks: nothing would be gained.
  package static let leastColumnsToShare = 256
  /// Columns above which a row group is compared with its texts compressed in one piece, which takes time.
  package static let manyColumns = 1_024
  /// Values from which on a column always has a chunk of its own.
  package static let valuesPerRareColumn = 256
}
