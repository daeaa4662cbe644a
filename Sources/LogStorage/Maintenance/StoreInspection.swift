/// What `varve inspect` shows of one segment.
package struct SegmentInspection: Sendable {
  package var record: SegmentRecord
  package var logGroup: String
  package var path: String
  /// Time of writing, ms.
  package var created: Int64
  package var rowGroups: [RowGroupInspection]
}

/// One row group of an inspected segment.
package struct RowGroupInspection: Sendable {
  package var entry: RowGroupEntry
  package var shapeCount: Int
  package var chunks: [ChunkInspection]
}

/// One chunk of an inspected row group.
package struct ChunkInspection: Sendable, Hashable {
  /// Display path of a column; else what the chunk is for (`eventTime`).
  package var name: String
  /// Kind of the values of a column (`string`, `number` …), empty for other chunks.
  package var kind: String
  /// How it is stored; `unknown` when this version cannot read it.
  package var encoding: String
  package var valueCount: Int
  package var byteCount: Int
}

extension LogStore {
  /// Live segments in order of group, day and age, with the names of their groups.
  package func segments() throws -> [(record: SegmentRecord, logGroup: String)] {
    try manifest.refresh().groups.values.sorted { $0.name < $1.name }.flatMap { group in
      group.segments.values.sorted { ($0.day, $0.minTime, $0.id) < ($1.day, $1.minTime, $1.id) }
        .map { (record: $0, logGroup: group.name) }
    }
  }

  /// Looks into a segment.
  ///
  /// - Parameter name: its id, the beginning of it, or the path of its file.
  /// - Throws: `StorageError`: `invalidArgument` when no segment or several are meant.
  package func inspect(segment name: String) throws -> SegmentInspection {
    var prefix = name.split(separator: "/").last.map(String.init) ?? name
    if prefix.hasSuffix(".seg") { prefix.removeLast(4) }
    let found = try segments().filter { $0.record.id.description.hasPrefix(prefix) }
    guard found.count == 1, !prefix.isEmpty else {
      throw StorageError(
        .invalidArgument,
        found.isEmpty || prefix.isEmpty
          ? "no live segment '\(name)'; 'varve inspect' lists them"
          : "'\(name)' is the beginning of \(found.count) segments; give more of it")
    }
    let (record, logGroup) = found[0]
    let path = names.segment(record.id, group: record.group, day: record.day)
    let reader = try SegmentReader(path: path, fileSystem: fileSystem)
    let rowGroups = try reader.rowGroups.map { entry in
      RowGroupInspection(try RowGroupHandle(source: reader.source, entry: entry))
    }
    return SegmentInspection(
      record: record, logGroup: logGroup, path: path, created: reader.created,
      rowGroups: rowGroups)
  }
}

extension RowGroupInspection {
  fileprivate init(_ handle: RowGroupHandle) {
    entry = handle.entry
    shapeCount = handle.table.shapes.count
    let storedByteCounts = handle.table.storedByteCounts()
    chunks = zip(handle.table.chunks, storedByteCounts).map { chunk, storedByteCount in
      let isColumn = chunk.role == .column
      return ChunkInspection(
        name: isColumn ? (chunk.kind == .text ? "@message" : chunk.path) : "\(chunk.role)",
        kind: isColumn ? "\(chunk.kind)" : "",
        encoding: chunk.encoding.map { $0.description } ?? "unknown",
        valueCount: chunk.valueCount, byteCount: storedByteCount)
    }
  }
}

extension RowGroupTable {
  /// What each chunk takes in the file: of a pack or the table its share by raw bytes, of rare values that of each column by their
  /// number, so that the sum is right.
  func storedByteCounts() -> [Int] {
    var rawByteCounts = [Int](repeating: 0, count: packs.count)
    for chunk in chunks {
      if case .pack(let number, _) = chunk.place { rawByteCounts[number] += chunk.length }
    }
    return chunks.map { chunk in
      switch chunk.place {
      // Its columns have them.
      case _ where chunk.role == .rareValues: 0
      case .alone, .table: chunk.length
      case .pack(let number, let offset):
        Self.share(
          of: packs[number].length, offset..<offset + chunk.length, in: rawByteCounts[number])
      case .rare(let values, let first):
        Self.share(
          of: chunks[values].length, first..<first + chunk.valueCount,
          in: chunks[values].valueCount)
      }
    }
  }

  private static func share(of byteCount: Int, _ part: Range<Int>, in whole: Int) -> Int {
    func upTo(_ end: Int) -> Int { byteCount * end / max(whole, 1) }
    return upTo(part.upperBound) - upTo(part.lowerBound)
  }
}
