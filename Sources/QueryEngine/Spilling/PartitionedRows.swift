import Columnar
import LogStorage

// What belongs together by its keys, `dedup` and `join` of more keys than memory holds, is dealt out
// by the hash of the keys into 16 parts on disk: equal keys meet in one part, and each part is then
// done by itself. A part that is still too large is dealt out again by the next four bits of the hash,
// down to a depth at which only equal hashes can be left.

/// Sends keys to parts.
enum HashPartition {
  static let count = 16
  /// How often a part is dealt out again, at most.
  static let deepest = 6

  /// One hash per row for its combination of keys; equal combinations have equal hashes.
  static func hashes(of keys: [ColumnVector], rowCount: Int) -> [UInt64] {
    var hashes = [UInt64](repeating: 0x9E37_79B9_7F4A_7C15, count: rowCount)
    for column in keys {
      let (own, present) = column.keyHashes()
      for row in 0..<rowCount {
        // Rows without a value have one key, whatever lies in their place.
        hashes[row] = TableHash.hash(present[row] ? own[row] : 0, seed: hashes[row])
      }
    }
    return hashes
  }

  /// The part of a hash, at a depth of dealing out.
  @inline(__always)
  static func part(of hash: UInt64, level: Int) -> Int {
    Int(truncatingIfNeeded: hash >> UInt64(60 - 4 * level)) & (count - 1)
  }

  /// The rows of each part, ascending.
  static func rows(_ hashes: [UInt64], level: Int) -> [SelectionVector] {
    var rows = [SelectionVector](repeating: [], count: count)
    for (row, hash) in hashes.enumerated() {
      rows[part(of: hash, level: level)].append(UInt32(truncatingIfNeeded: row))
    }
    return rows
  }
}

/// Rows on disk, in parts, each in the order in which its rows came.
struct PartitionedRows: Sendable {
  /// Bytes of a part that are put together before they are written.
  private static let blockByteCount = 256 << 10

  let level: Int
  let file: SpillFile
  private var pending = [[SortPiece]](repeating: [], count: HashPartition.count)
  private var pendingByteCounts = [Int](repeating: 0, count: HashPartition.count)
  private var blocks = [[SpillBlock]](repeating: [], count: HashPartition.count)
  /// Rows by part.
  private(set) var rowCounts = [Int](repeating: 0, count: HashPartition.count)

  /// - Parameter level: how often the rows have been dealt out before.
  init(_ file: SpillFile, level: Int) {
    self.file = file
    self.level = level
  }

  /// Adds rows behind the others.
  mutating func add(_ piece: SortPiece, hashes: [UInt64]) throws(QueryFailure) {
    for (part, rows) in HashPartition.rows(hashes, level: level).enumerated() where !rows.isEmpty {
      let own = piece.gather(rows)
      pending[part].append(own)
      pendingByteCounts[part] += own.byteCount
      rowCounts[part] += rows.count
      if pendingByteCounts[part] >= Self.blockByteCount { try flush(part) }
    }
  }

  /// Writes what waits.
  mutating func flush() throws(QueryFailure) {
    for part in pending.indices { try flush(part) }
  }

  private mutating func flush(_ part: Int) throws(QueryFailure) {
    guard !pending[part].isEmpty else { return }
    let whole = SortPiece.concatenated(pending[part])
    (pending[part], pendingByteCounts[part]) = ([], 0)
    blocks[part].append(
      try file.append { (writer: inout ByteWriter) in writer.append(piece: whole) })
  }

  /// Hands on the rows of a part, a block at a time, in their order, as long as they are wanted.
  ///
  /// - Precondition: nothing waits to be written.
  func forEach(
    in part: Int, while isWanted: () -> Bool = { true }, _ body: (SortPiece) throws -> Void
  ) throws {
    for block in blocks[part] where isWanted() {
      try body(file.read(block) { (reader: inout ByteReader) in try reader.piece() })
    }
  }
}

extension ByteWriter {
  mutating func append(piece: SortPiece) {
    append(rows: piece.batch)
    append(varint: piece.keys.count)
    for key in piece.keys { append(vector: key) }
  }
}

extension ByteReader {
  mutating func piece() throws(DecodingFailure) -> SortPiece {
    let batch = try rows()
    var keys: [ColumnVector] = []
    for _ in 0..<(try count(limit: remaining)) { keys.append(try vector()) }
    return SortPiece(batch: batch, keys: keys)
  }
}
