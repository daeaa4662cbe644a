import Columnar
import TestSupport
import Testing

@testable import LogStorage

/// Damage to write-ahead logs: named, and everything else kept.
@Suite struct WriteAheadLogTests {
  private let batches = ["a", "b", "c"].enumerated().map { index, label in
    SampleEvents(label, count: 3, from: SampleTime.day + Int64(index) * 60_000)
  }

  private struct Outcome {
    var events: [String] = []
    var damage: [String] = []
  }

  private func look(_ store: LogStore) throws -> Outcome {
    let cursor = try store.snapshot().scan(ScanRequest(order: .oldestFirst))
    var outcome = Outcome()
    while let rowGroup = try cursor.next() {
      let times = try rowGroup.timestamps()
      let texts = try rowGroup.messages(nil)
      for row in rowGroup.visibleRows {
        let text = texts.bytes[Int(texts.offsets[row])..<Int(texts.offsets[row + 1])]
        outcome.events.append("\(times[row]) \(String(decoding: text, as: UTF8.self))")
      }
    }
    outcome.damage = cursor.statistics.damagedParts
    return outcome
  }

  /// A machine with one log of three records; its path and where its records begin.
  private func damagedMachine() throws -> (CrashingFileSystem, path: String, starts: [Int]) {
    let disk = try machineWithDeadWriter(batches)
    let log = try makeStore(on: disk).view().logs.first { !$0.entries.isEmpty }
    let contents = try #require(log)
    return (disk, contents.path, contents.entries.map { Int($0.offset) })
  }

  @Test func `every flipped bit is named and costs no other record`() throws {
    let (disk, path, starts) = try damagedMachine()
    let whole = try look(makeStore(on: disk))
    #expect(whole.events.count == 9)
    #expect(whole.damage == [])
    let intact = try disk.contents(of: path)
    for position in intact.indices {
      let bit = UInt8(1) << UInt8(position % 8)
      disk.damage(path) { $0[position] ^= bit }
      let outcome = try look(makeStore(on: disk))
      let record = starts.lastIndex { $0 <= position }
      let kept = whole.events.enumerated().filter { $0.offset / 3 != record }.map(\.element)
      #expect(outcome.events == kept, "byte \(position)")
      #expect(outcome.damage.count == 1, "byte \(position)")
      #expect(outcome.damage.first?.contains(path) == true, "byte \(position)")
      #expect(try makeStore(on: disk).verify().problems.count == 1, "byte \(position)")
      disk.damage(path) { $0[position] ^= bit }
    }
  }

  @Test func `every cut keeps the records before it`() throws {
    let (disk, path, starts) = try damagedMachine()
    let whole = try look(makeStore(on: disk)).events
    let intact = try disk.contents(of: path)
    let ends = starts.dropFirst() + [intact.count]
    for length in intact.indices {
      disk.damage(path) { $0 = Array(intact[..<length]) }
      let outcome = try look(makeStore(on: disk))
      #expect(outcome.events == Array(whole.prefix(3 * ends.count { $0 <= length })))
      #expect(outcome.damage.isEmpty == (length >= WriteAheadHeader.byteCount), "\(length) bytes")
      let isTorn = length > WriteAheadHeader.byteCount && !starts.contains(length)
      #expect(try makeStore(on: disk).verify().notes.isEmpty == !isTorn, "\(length) bytes")
    }
  }

  @Test func `blocks that were given and never filled are a torn end`() throws {
    let (disk, path, _) = try damagedMachine()
    disk.damage(path) { $0 += [UInt8](repeating: 0, count: 5000) }
    let outcome = try look(makeStore(on: disk))
    #expect(outcome.events.count == 9)
    #expect(outcome.damage == [])
  }

  @Test func `what a disk left there of another place or log is no record`() throws {
    let (disk, path, starts) = try damagedMachine()
    let intact = try disk.contents(of: path)
    disk.damage(path) { $0 += intact[starts[0]..<starts[1]] }
    let outcome = try look(makeStore(on: disk))
    #expect(outcome.events.count == 9)
    #expect(outcome.damage.count == 1)
  }

  @Test func `recovery publishes what is whole and keeps the damaged file`() throws {
    let (disk, path, starts) = try damagedMachine()
    disk.damage(path) { $0[starts[1] + 30] ^= 4 }
    let store = try makeStore(on: disk)
    let before = try look(store)
    #expect(before.events.count == 6)
    #expect(before.damage.first?.contains("3 events are lost") == true)
    let report = try store.retain()
    #expect(report.recoveredRowCount == 6)
    #expect(report.problems == before.damage)
    let after = try look(store)
    #expect(after.events == before.events)
    #expect(after.damage == [])
    #expect(disk.paths(containing: ".damaged") == [path + ".damaged"])
    #expect(try store.verify().problems.count == 1)
    #expect(try store.retain().problems == [])
  }

  @Test func `a missing log is named and stops nothing`() throws {
    let (disk, path, _) = try damagedMachine()
    try disk.unlink(path)
    let store = try makeStore(on: disk)
    try store.publish(SampleEvents("x", count: 2, from: SampleTime.day), to: "api")
    let outcome = try look(store)
    #expect(outcome.events.count == 2)
    #expect(outcome.damage == ["\(path): the write-ahead log is missing"])
    #expect(try store.retain().problems.count == 1)
  }

  @Test func `a log of another version is named with both numbers`() throws {
    let (disk, path, _) = try damagedMachine()
    disk.damage(path) { bytes in
      bytes[8] = 4
      let check = XXH64.hash(Array(bytes[..<32]))
      bytes.replaceSubrange(32..<40, with: withUnsafeBytes(of: check.littleEndian) { Array($0) })
    }
    let store = try makeStore(on: disk)
    #expect(
      try look(store).damage == ["\(path): write-ahead log version 4, this program reads version 1"]
    )
    #expect(try store.retain().problems.count == 1)
    // It is there for the program that knows it.
    #expect(disk.paths(containing: path) == [path])
  }

  @Test func `any events come back from a record as they went in`() throws {
    var random = SeededGenerator(seed: 4)
    for _ in 0..<200 {
      let count = Int.random(in: 1...40, using: &random)
      var events = SampleEvents("", count: 0, from: 0)
      events.streams = ["one", "two", "three"]
      for _ in 0..<count {
        let length = Int.random(in: 0...30, using: &random)
        events.texts.append(
          String(
            decoding: (0..<length).map { _ in UInt8.random(in: 32...126, using: &random) },
            as: UTF8.self))
        events.times.append(Int64.random(in: .min + 1 ... .max, using: &random))
        events.streamOf.append(UInt32.random(in: 0...2, using: &random))
      }
      let scanned = JSONScanner().scan(events.records.block(), arrivalTime: 0)
      var record = WriteAheadRecord(
        scanned, group: 3, ingestionTime: 8, compressor: Compressor())
      record.head.firstSequence = 1000
      let bytes = record.bytes(log: 5, offset: 40)
      let body = try #require(WriteAheadRecord.body(in: bytes, at: 0, start: 40, log: 5))
      let (head, block) = try WriteAheadRecord.block(
        bytes, body: body, name: "log", decompressor: Decompressor())
      #expect(head == record.head)
      var records = RowGroupRecords.empty
      records.append(block, ingestionTime: head.ingestionTime)
      #expect(records.times == events.times)
      #expect(records.bytes == events.records.bytes)
      #expect(records.offsets == events.records.offsets)
      #expect(
        records.streamOf.map { records.streams[Int($0)] }
          == events.streamOf.map { events.streams[Int($0)] })
      #expect(records.sequences == (0..<UInt64(count)).map { 1000 + $0 })
    }
  }
}
