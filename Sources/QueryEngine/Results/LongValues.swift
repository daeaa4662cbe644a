import Columnar

// A result is there to be read. A value of more than a megabyte, which only a chain of commands can
// make out of events, is cut where it leaves the query; inside the query it was whole. Texts end in
// "…" then; lists and maps keep their first members and get "…" as the last, so that they stay lists
// and maps. What is cut is said (W204).

/// Cuts values that are too long to be shown.
enum LongValues {
  /// Bytes that one value may have.
  static let limit = 1 << 20

  /// The batch with its long values cut; `@message` is always whole.
  ///
  /// - Parameter didCut: told the name of each column in which a value was cut.
  static func cut(_ batch: ColumnBatch, didCut: (String) -> Void) -> ColumnBatch {
    var columns = batch.columns
    var isCut = false
    for (index, name) in batch.names.enumerated() where name != "@message" {
      guard let shortened = cut(columns[index]) else { continue }
      columns[index] = shortened
      isCut = true
      didCut(name)
    }
    guard isCut else { return batch }
    return ColumnBatch(names: batch.names, columns: columns, rowCount: batch.rowCount)
  }

  /// The vector with its long values cut; `nil` if there are none.
  private static func cut(_ vector: ColumnVector) -> ColumnVector? {
    switch vector {
    case .constant(let value, let count): return cut(value).map { .constant($0, count: count) }
    case .strings(let texts):
      guard texts.bytes.count > limit,
        (0..<texts.count).contains(where: { texts.range($0).count > limit })
      else { return nil }
      return .values(vector.values().map { cut($0) ?? $0 })
    case .dictionary(let coded):
      return cut(coded.entries).map {
        .dictionary(DictionaryVector(codes: coded.codes, entries: $0))
      }
    case .values(let values):
      let shortened = values.map { cut($0) }
      guard shortened.contains(where: { $0 != nil }) else { return nil }
      return .values(zip(values, shortened).map { $1 ?? $0 })
    default: return nil
    }
  }

  private static func cut(_ value: Value) -> Value? {
    guard size(of: value, upTo: limit) > limit else { return nil }
    switch value {
    case .string(let text): return .string(cut(text))
    case .list(let members):
      let kept = countThatFits(members)
      return .list(members.prefix(kept) + [.string("…")])
    case .map(let map):
      let kept = countThatFits(map.values)
      return .map(
        ValueMap(
          keys: map.keys.prefix(kept) + ["…"], values: map.values.prefix(kept) + [.string("…")]))
    default: return nil
    }
  }

  private static func cut(_ text: String) -> String {
    let bytes = text.utf8
    var end = bytes.index(bytes.startIndex, offsetBy: limit)
    // Never in the middle of a character's bytes.
    while end > bytes.startIndex, bytes[end] & 0xC0 == 0x80 { end = bytes.index(before: end) }
    return text[..<end] + "…"
  }

  private static func countThatFits(_ members: [Value]) -> Int {
    var rest = limit
    return members.prefix { member in
      rest -= size(of: member, upTo: rest) + 1
      return rest >= 0
    }.count
  }

  /// Bytes of texts in a value, about; counting ends soon after `bound`.
  private static func size(of value: Value, upTo bound: Int) -> Int {
    switch value {
    case .string(let text): return text.utf8.count
    case .list(let members): return size(of: members, upTo: bound)
    case .map(let map):
      return size(of: map.values, upTo: bound) + map.keys.reduce(0) { $0 + $1.utf8.count }
    default: return 8
    }
  }

  private static func size(of members: [Value], upTo bound: Int) -> Int {
    var sum = 0
    for member in members where sum <= bound {
      sum += size(of: member, upTo: bound - sum) + 1
    }
    return sum
  }
}
