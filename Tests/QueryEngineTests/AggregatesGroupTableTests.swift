import Columnar
import TestSupport
import Testing

@testable import QueryEngine

@Suite struct AggregatesGroupTableTests {
  @Test(arguments: [0, 1, 2, 3, 4])
  func `rows get the group of their keys, numbered as groups first appear`(keyCount: Int) {
    var world = AggregatesWorld(seed: 71)
    for _ in 0..<40 {
      let batches = (0..<4).map { _ in
        world.batch(keyCount: keyCount, count: world.pick([0, 1, 65, 200]))
      }
      var table = GroupTable(keyCount: keyCount)
      let groups = batches.flatMap {
        table.assignGroups(keys: $0.keys, rowCount: $0.rowCount)
      }
      let (expected, rowsOfGroup) = AggregatesWorld.groups(AggregatesWorld.rows(of: batches))
      #expect(groups.map { Int($0) } == expected)
      if keyCount > 0 { #expect(table.count == rowsOfGroup.count) }
      let shown = table.keyColumns()
      for (group, rows) in rowsOfGroup.enumerated() {
        for key in 0..<keyCount {
          let members = rows.map { $0.keys[key] }
          #expect(
            Self.isShown(shown[key].value(at: group), for: members),
            "\(shown[key].value(at: group)) for \(members)")
        }
      }
    }
  }

  /// Whether a value is of the highest rank and spelled shortest, structures counting as missing.
  private static func isShown(_ value: Value, for members: [Value]) -> Bool {
    let scalars = members.map { $0.isStructure ? .missing : $0 }
    let highest = scalars.map { AggregatesWorld.rank($0) }.max()
    let best = scalars.filter { AggregatesWorld.rank($0) == highest }
    let shortest = best.map { $0.text?.utf8.count ?? 0 }.min()
    return best.contains(value) && (value.text?.utf8.count ?? 0) == shortest
  }

  @Test(arguments: [0, 1, 2, 3])
  func `merged tables are the table of all rows`(keyCount: Int) {
    var world = AggregatesWorld(seed: 72)
    for _ in 0..<40 {
      let batches = (0..<4).map { _ in world.batch(keyCount: keyCount, count: 60) }
      var whole = GroupTable(keyCount: keyCount)
      var merged = GroupTable(keyCount: keyCount)
      for batch in batches {
        let groups = whole.assignGroups(keys: batch.keys, rowCount: batch.rowCount)
        var part = GroupTable(keyCount: keyCount)
        let partGroups = part.assignGroups(keys: batch.keys, rowCount: batch.rowCount)
        let mapping = merged.merge(part)
        #expect(partGroups.map { mapping[Int($0)] } == groups)
      }
      #expect(merged.count == whole.count)
      #expect(merged.keyColumns().map { $0.values() } == whole.keyColumns().map { $0.values() })
      #expect(merged.byteCount > 0 || keyCount == 0)
    }
  }

  @Test func `spellings of one number are one group, spellings of texts are not`() {
    var table = GroupTable(keyCount: 1)
    let groups = table.assignGroups(
      keys: [
        .values([
          .string("200"), .double(200), .string("007"), .integer(7), .missing, .boolean(true),
          .string("1"), .sourceNumber(SourceNumber(value: 200, text: "2e2")), .jsonBoolean(true),
          .timestamp(0), .string("1970-01-01 00:00:00.000"),
        ])
      ], rowCount: 11)
    #expect(groups == [0, 0, 1, 2, 3, 4, 4, 0, 5, 6, 6])
    #expect(
      table.keyColumns()[0].values() == [
        .double(200), .string("007"), .integer(7), .missing, .boolean(true), .jsonBoolean(true),
        .timestamp(0),
      ])
  }

  @Test func `long numbers that one double stands for stay apart`() {
    var table = GroupTable(keyCount: 1)
    let texts = ["18446744073709551616", "18446744073709551617"]
    let keys = texts.map { Value.sourceNumber(SourceNumber(value: 0x1p64, text: $0)) }
    #expect(table.assignGroups(keys: [.values(keys)], rowCount: 2) == [0, 1])
    var decimals = GroupTable(keyCount: 1)
    let column = ColumnVector.decimals(
      DecimalVector(mantissas: [123_456_789_012_345_678, 123_456_789_012_345_679], scale: 1))
    #expect(decimals.assignGroups(keys: [column], rowCount: 2) == [0, 1])
  }

  @Test func `texts with invalid bytes are one group when they print alike`() {
    var table = GroupTable(keyCount: 1)
    let vector = StringVector(offsets: [0, 1, 2, 5], bytes: [0xFF, 0xFE, 0xEF, 0xBF, 0xBD])
    #expect(table.assignGroups(keys: [.strings(vector)], rowCount: 3) == [0, 0, 0])
    #expect(table.keyColumns()[0].values() == [.string("\u{FFFD}")])
  }

  @Test func `codes of one dictionary keep their groups from batch to batch`() {
    var table = GroupTable(keyCount: 1)
    let entries = ColumnVector.strings(StringVector(["x", "y", "x"]))
    func batch(_ codes: [UInt16]) -> ColumnVector {
      .dictionary(DictionaryVector(codes: codes, entries: entries))
    }
    #expect(table.assignGroups(keys: [batch([1, 3, 1])], rowCount: 3) == [0, 1, 0])
    #expect(table.assignGroups(keys: [batch([0, 1, 2, 3])], rowCount: 4) == [2, 0, 2, 1])
    #expect(table.keyColumns()[0].values() == [.string("y"), .missing, .string("x")])
  }

  @Test func `dedup keeps the first of each combination and every row without a value`() {
    var world = AggregatesWorld(seed: 73)
    for keyCount in [1, 2, 3] {
      for _ in 0..<30 {
        var filter = DistinctFilter(keyCount: keyCount)
        var seen: Set<[UInt8]> = []
        for _ in 0..<3 {
          let batch = world.batch(keyCount: keyCount, count: 100)
          let rows = AggregatesWorld.rows(of: [batch])
          let expected = rows.indices.filter { index in
            var key: [UInt8] = []
            for value in rows[index].keys { KeyIdentity.append(value, to: &key) }
            let isNew = seen.insert(key).inserted
            return isNew || rows[index].keys.contains { $0.isMissing || $0.isStructure }
          }
          #expect(
            filter.firstRows(of: batch.keys, rowCount: 100) == expected.map { UInt32($0) })
        }
      }
    }
  }
}
