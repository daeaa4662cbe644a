import Columnar
import TestSupport

@testable import LogStorage

/// Events made up for tests of the store.
struct SampleEvents {
  var texts: [String] = []
  var times: [Int64] = []
  var streams: [String] = ["main"]
  var streamOf: [UInt32] = []

  /// `count` events, one every `step` ms, each with a text of its own.
  init(_ label: String, count: Int, from start: Int64, step: Int64 = 1000) {
    for i in 0..<count {
      texts.append("{\"label\":\"\(label)\",\"n\":\(i),\"ok\":\(i % 3 == 0)}")
      times.append(start + Int64(i) * step)
      streamOf.append(0)
    }
  }

  /// Gives every second event to another stream.
  func alternating(_ other: String) -> SampleEvents {
    var copy = self
    copy.streams.append(other)
    for i in copy.streamOf.indices where i % 2 == 1 { copy.streamOf[i] = 1 }
    return copy
  }

  var records: RowGroupRecords {
    var offsets: [UInt32] = [0]
    var bytes: [UInt8] = []
    for text in texts {
      bytes += Array(text.utf8)
      offsets.append(UInt32(bytes.count))
    }
    return RowGroupRecords(
      bytes: bytes, offsets: offsets, times: times,
      ingestionTimes: [Int64](repeating: 1_000_000, count: texts.count),
      sequences: (0..<UInt64(texts.count)).map { $0 }, streams: streams, streamOf: streamOf)
  }

  func encoded() -> EncodedRowGroup {
    RowGroupEncoder().encode(records, scanner: JSONScanner())
  }
}

extension LogStore {
  /// Publishes one segment with one row group for each list of events.
  @discardableResult
  func publish(_ events: SampleEvents..., to group: String) throws -> UInt64 {
    try publish(events, to: group)
  }

  @discardableResult
  func publish(_ events: [SampleEvents], to group: String) throws -> UInt64 {
    let writer = try makeSegmentWriter(logGroup: group)
    var base: UInt64 = 0
    for part in events {
      var rowGroup = part.encoded()
      rowGroup.entry.sequenceBase = base
      base += UInt64(part.texts.count)
      try writer.append(rowGroup)
    }
    return try publish([try writer.finish()])
  }

  /// All events that a scan shows, as `time text`, in the order of the scan.
  func events(_ request: ScanRequest = ScanRequest(order: .oldestFirst), now: Int64? = nil) throws
    -> [String]
  {
    try snapshot(now: now).events(request)
  }
}

extension Snapshot {
  /// The events that can be read, as `events` gives them, of a store with damage.
  func readableEvents() throws -> [String] {
    let cursor = try scan(ScanRequest())
    var events: [String] = []
    while let rowGroup = try cursor.next() {
      guard let times = try? rowGroup.timestamps(), let texts = try? rowGroup.messages(nil),
        (try? rowGroup.streams()) != nil
      else { continue }
      for row in rowGroup.visibleRows {
        let text = texts.bytes[Int(texts.offsets[row])..<Int(texts.offsets[row + 1])]
        events.append("\(times[row]) \(String(decoding: text, as: UTF8.self))")
      }
    }
    return events
  }

  func events(_ request: ScanRequest = ScanRequest(order: .oldestFirst)) throws -> [String] {
    let cursor = try scan(request)
    var events: [String] = []
    while let rowGroup = try cursor.next() {
      let times = try rowGroup.timestamps()
      let texts = try rowGroup.messages(nil)
      for row in rowGroup.visibleRows {
        let text = texts.bytes[Int(texts.offsets[row])..<Int(texts.offsets[row + 1])]
        events.append("\(times[row]) \(String(decoding: text, as: UTF8.self))")
      }
    }
    if let damage = cursor.statistics.damagedParts.first { throw StorageError(.damaged, damage) }
    return events
  }
}

/// A file system in memory: fast, and nothing to clean up.
func makeStore(
  on fileSystem: CrashingFileSystem = CrashingFileSystem(), now: Int64 = SampleTime.now,
  rotation: UInt64 = 4 << 20
) throws -> LogStore {
  try LogStore.open("/store", mode: .create, options: storeOptions(fileSystem, now, rotation))
}

func storeOptions(
  _ fileSystem: CrashingFileSystem, _ now: Int64 = SampleTime.now, _ rotation: UInt64 = 4 << 20
) -> LogStore.Options {
  var options = LogStore.Options()
  options.fileSystem = fileSystem
  options.clock = FixedClock(milliseconds: now)
  options.manifestRotationByteCount = rotation
  return options
}

enum SampleTime {
  /// 2026-11-21 00:00 UTC.
  static let day: Int64 = 1_795_219_200_000
  /// Noon of that day.
  static let now: Int64 = day + 12 * 3_600_000
  static let hour: Int64 = 3_600_000
}
