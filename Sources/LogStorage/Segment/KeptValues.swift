/// Values made once, each with the scan that last used it.
///
/// What only one scan ever asks for is not worth its memory: fresh pages cost a query that runs once a fifth of its time, and
/// in a warm engine they would push out what others ask for again. So a value outlives the scan only if an earlier one has
/// asked for it too (``dropFirstMet(by:)``).
struct KeptValues<Key: Hashable, Value> {
  private struct Kept {
    let value: Value
    var lastUse: UInt64
  }

  private var kept: [Key: Kept] = [:]
  /// The scan that first asked for a value.
  private var firstUses: [Key: UInt64] = [:]

  /// The value, which counts as used by `scan`; `nil` if it is not kept.
  mutating func use(_ key: Key, scan: UInt64) -> Value? {
    guard let index = kept.index(forKey: key) else {
      _ = isFirstUse(key, scan: scan)
      return nil
    }
    kept.values[index].lastUse = scan
    return kept[index].value.value
  }

  /// Whether no scan before this one has asked for the value; this one now has.
  mutating func isFirstUse(_ key: Key, scan: UInt64) -> Bool {
    if let first = firstUses[key] { return first == scan }
    firstUses[key] = scan
    return true
  }

  /// Drops the values that no scan before this one has asked for.
  mutating func dropFirstMet(by scan: UInt64) {
    kept = kept.filter { firstUses[$0.key] != scan }
  }

  func has(_ key: Key) -> Bool { kept[key] != nil }

  mutating func keep(_ value: Value, _ key: Key, scan: UInt64) {
    kept[key] = Kept(value: value, lastUse: scan)
  }

  /// Takes over what others keep and this does not.
  ///
  /// - Returns: what that is.
  @discardableResult
  mutating func adopt(_ other: KeptValues) -> [(Key, Value)] {
    other.kept.compactMap { key, kept in
      guard self.kept[key] == nil else { return nil }
      self.kept[key] = kept
      if firstUses[key] == nil { firstUses[key] = other.firstUses[key] }
      return (key, kept.value)
    }
  }

  var values: some Sequence<Value> { kept.values.lazy.map(\.value) }

  /// Bytes of all values, of which `size` gives one's.
  func byteCount(_ size: (Value) -> Int) -> Int {
    kept.values.reduce(0) { $0 + size($1.value) + 64 }
  }

  /// Drops values larger than `bound`, and those not used since `scan`.
  mutating func drop(largerThan bound: Int, lastUsedUpTo scan: UInt64, _ size: (Value) -> Int) {
    kept = kept.filter { $0.value.lastUse > scan && size($0.value.value) <= bound }
  }

  /// Drops the values for which the condition holds.
  mutating func drop(where condition: (Value) -> Bool) {
    kept = kept.filter { !condition($0.value.value) }
  }
}
