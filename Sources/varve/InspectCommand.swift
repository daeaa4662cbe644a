import ArgumentParser
import Columnar
import LogStorage

/// `varve inspect`: what lies where.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "List the segments of the store, or what one of them holds column by column.",
    discussion: """
      Of each segment 'firstStored' is what its events took when they first came into segments, and \
      'written' all that has been written for them up to now, by merges too: at most three times as much, \
      over the segments of a day.
      """)

  @Argument(help: "A segment: its id, the beginning of it, or its file (default: list all).")
  var segment: String?

  @Flag(help: "Of a segment: each row group by itself, in place of their sums.")
  var rowGroups = false

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let opened = try store.open(.readOnly)
    if let segment {
      let inspection = try opened.inspect(segment: segment)
      if output.format == .table, !store.quiet { try printHead(inspection) }
      let total = try opened.segments().reduce(0) { $0 + Int(clamping: $1.record.byteCount) }
      try columns(of: inspection, storeBytes: total).print(as: output.format)
    } else {
      try segments(of: opened).print(as: output.format)
    }
  }

  private func segments(of opened: LogStore) throws -> Listing {
    var listing = Listing(
      ("segment", .text), ("group", .text), ("events", .count), ("raw", .bytes),
      ("stored", .bytes), ("first", .time), ("last", .time), ("rowGroups", .count),
      ("firstStored", .bytes), ("written", .bytes))
    for (record, logGroup) in try opened.segments() {
      listing.add(
        .string("\(record.id)"), .string(logGroup), Value(record.rowCount),
        Value(record.rawByteCount), Value(record.byteCount), .timestamp(record.minTime),
        .timestamp(record.maxTime), Value(Int(record.rowGroupCount)),
        Value(record.firstByteCount), Value(record.writtenByteCount))
    }
    return listing
  }

  private func printHead(_ inspection: SegmentInspection) throws {
    let record = inspection.record
    let raw = HumanUnits.bytes(Int(clamping: record.rawByteCount))
    let stored = HumanUnits.bytes(Int(clamping: record.byteCount))
    let shapes = inspection.rowGroups.reduce(0) { $0 + $1.shapeCount }
    var out = OutputBuffer.standardOutput()
    out.append(
      """
      \(inspection.path)
      \(HumanUnits.count(Int(clamping: record.rowCount), "event")) of \(inspection.logGroup), \
      \(raw) stored as \(stored); \(HumanUnits.count(inspection.rowGroups.count, "row group")), \
      \(HumanUnits.count(shapes, "shape"))


      """)
    try out.flush()
  }

  /// Bytes by column and encoding over all row groups, or in each, the largest first.
  private func columns(of inspection: SegmentInspection, storeBytes: Int) -> Listing {
    struct Key: Hashable {
      var rowGroup: Int
      var name, kind, encoding: String
    }
    var sums: [Key: (values: Int, bytes: Int)] = [:]
    for (index, rowGroup) in inspection.rowGroups.enumerated() {
      for chunk in rowGroup.chunks {
        let key = Key(
          rowGroup: rowGroups ? index : 0, name: chunk.name, kind: chunk.kind,
          encoding: chunk.encoding)
        let sum = sums[key] ?? (0, 0)
        sums[key] = (sum.values + chunk.valueCount, sum.bytes + chunk.byteCount)
      }
    }
    let total = sums.values.reduce(0) { $0 + $1.bytes }
    var listing = Listing(
      ("rowGroup", .text), ("column", .text), ("kind", .text), ("encoding", .text),
      ("values", .count), ("bytes", .bytes), ("bytesPerValue", .text), ("share", .share),
      ("shareOfStore", .share))
    let order = sums.sorted {
      if $0.key.rowGroup != $1.key.rowGroup { return $0.key.rowGroup < $1.key.rowGroup }
      return ($1.value.bytes, $0.key.name, $0.key.kind, $0.key.encoding)
        < ($0.value.bytes, $1.key.name, $1.key.kind, $1.key.encoding)
    }
    for (key, sum) in order {
      listing.add(
        rowGroups ? Value(key.rowGroup) : .missing, .string(key.name),
        key.kind.isEmpty ? .missing : .string(key.kind), .string(key.encoding),
        Value(sum.values), Value(sum.bytes),
        .double((Double(sum.bytes) / Double(max(sum.values, 1)) * 1_000).rounded() / 1_000),
        .double(Double(sum.bytes) / Double(max(total, 1))),
        .double(Double(sum.bytes) / Double(max(storeBytes, 1))))
    }
    return listing
  }
}
