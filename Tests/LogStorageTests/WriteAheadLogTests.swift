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
    let end = try #require(intact.lastIndex { $0 != 0 }) + 1
    for position in 0..<end + 40 {
      for bit in position < end ? 0..<8 : 0..<1 {
        disk.damage(path) { $0[position] ^= 1 << UInt8(bit) }
        let outcome = try look(makeStore(on: disk))
        let record = position < end ? starts.lastIndex { $0 <= position } : nil
        let kept = whole.events.enumerated().filter { $0.offset / 3 != record }.map(\.element)
        // The filling behind a record says nothing, and what follows the last one is looked at only if need be.
        let isNamed = outcome.events == kept && outcome.damage.count == 1
        let isSame = outcome.events == whole.events && outcome.damage.count <= 1
        #expect(isNamed || isSame, "byte \(position)")
        #expect(outcome.damage.allSatisfy { $0.contains(path) }, "byte \(position)")
        disk.damage(path) { $0[position] ^= 1 << UInt8(bit) }
      }
    }
  }

  @Test func `every cut is named and keeps the records before it`() throws {
    let (disk, path, starts) = try damagedMachine()
    let whole = try look(makeStore(on: disk)).events
    let intact = try disk.contents(of: path)
    let ends = starts.dropFirst() + [try #require(intact.lastIndex { $0 != 0 }) + 1]
    for length in intact.indices {
      disk.damage(path) { $0 = Array(intact[..<length]) }
      let outcome = try look(makeStore(on: disk))
      #expect(outcome.events == Array(whole.prefix(3 * ends.count { $0 <= length })))
      #expect(outcome.damage.first?.contains(path) == true, "\(length) bytes")
    }
  }

  @Test func `a log that has grown shows every cut too`() throws {
    var random = SeededGenerator(seed: 9)
    let long = (0..<5).map { batch in
      var events = SampleEvents("\(batch)", count: 60, from: SampleTime.day, step: 7)
      for row in events.texts.indices {
        events.texts[row] = "\(UInt64.random(in: 0 ... .max, using: &random))"
      }
      return events
    }
    let disk = try machineWithDeadWriter(long)
    let store = try makeStore(on: disk)
    let log = try #require(try store.view().logs.first { !$0.entries.isEmpty })
    let intact = try disk.contents(of: log.path)
    #expect(log.damage == [])
    for length in stride(from: 4000, to: intact.count, by: 8) {
      disk.damage(log.path) { $0 = Array(intact[..<length]) }
      let count = try look(store).events.count
      #expect(try count == 300 || !look(store).damage.isEmpty, "\(length) bytes")
    }
  }

  @Test func `a write that was cut off is no damage, whichever of its sectors came`() throws {
    for seed in UInt64(0)..<60 {
      let disk = CrashingFileSystem()
      let store = try makeStore(on: disk)
      let writer = try makeStreamWriter(store, rowsPerLog: 1000, firstLogByteCount: 1 << 18)
      let events = StreamedEvents()
      try events.send(batches[0], to: writer)
      // The power goes in the sync of several records.
      disk.ignoreSyncs(of: ".wal")
      for label in ["b", "c", "d"] {
        try events.send(SampleEvents(label, count: 40, from: SampleTime.day), to: writer)
      }
      let log = try #require(try store.view().logs.first { !$0.entries.isEmpty })
      let first = log.entries[1].offset
      disk.damage(log.path) { bytes in
        // As if they had been one write.
        for entry in log.entries.dropFirst() {
          Self.change(&bytes, entry, log.log.id) { $0.writeOffset = first }
        }
      }
      disk.crash(afterOperations: 1)
      _ = try? writer.close()
      let after = disk.restart(sectors: seed)
      let outcome = try look(makeStore(on: after))
      #expect(outcome.damage == [], "seed \(seed)")
      #expect(outcome.events.count >= 3, "seed \(seed)")
      #expect((outcome.events.count - 3) % 40 == 0, "seed \(seed)")
      #expect(try makeStore(on: after).retain().problems == [], "seed \(seed)")
    }
  }

  /// Writes a record anew with another head.
  private static func change(
    _ bytes: inout [UInt8], _ entry: WriteAheadContents.Entry, _ log: UInt64,
    _ change: (inout WriteAheadRecord.Head) -> Void
  ) {
    var head = entry.head
    change(&head)
    let start = Int(entry.offset)
    let body = start + WriteAheadRecord.frameByteCount
    bytes.replaceSubrange(
      body..<body + 8, with: withUnsafeBytes(of: head.writeOffset.littleEndian) { Array($0) })
    WriteAheadRecord.seal(&bytes, at: start, log: log)
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
    let end = try #require(intact.lastIndex { $0 != 0 }) + 1
    let record = intact[starts[0]..<starts[1]]
    disk.damage(path) { $0.replaceSubrange(end..<end + record.count, with: record) }
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
    #expect(try store.repair(dryRun: true).logFaults.count == 1)
    #expect(try store.repair(dryRun: false).keptFiles.count == 1)
    #expect(try store.verify().problems == [])
  }

  @Test func `a missing log is named and stops nothing`() throws {
    let (disk, path, _) = try damagedMachine()
    try disk.unlink(path)
    let store = try makeStore(on: disk)
    try store.publish(SampleEvents("x", count: 2, from: SampleTime.day), to: "api")
    let outcome = try look(store)
    #expect(outcome.events.count == 2)
    #expect(outcome.damage.count == 1)
    #expect(outcome.damage.first?.contains("\(path): the write-ahead log is missing") == true)
    #expect(try store.retain().problems.count == 1)
    #expect(try store.repair(dryRun: true).logFaults == outcome.damage)
    #expect(try look(store).damage == outcome.damage)
    let report = try store.repair(dryRun: false)
    #expect(report.logFaults == outcome.damage)
    #expect(report.problems == [])
    #expect(try look(store).damage == [])
    #expect(try look(store).events.count == 2)
    #expect(try store.verify().problems == [])
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
      try look(store).damage == ["\(path): write-ahead log version 4, this program reads version 2"]
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
