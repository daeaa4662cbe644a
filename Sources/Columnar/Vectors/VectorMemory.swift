extension ColumnVector {
  /// Whether no row has a value. Mostly the first rows tell that one has.
  package var isAllMissing: Bool {
    switch self {
    case .missing: return true
    case .values(let values): return values.allSatisfy(\.isMissing)
    case .dictionary(let vector):
      let present = vector.entries.presence()
      return vector.codes.allSatisfy { Int($0) >= present.count || !present[Int($0)] }
    default: return presence().isEmpty
    }
  }

  /// About how many bytes the vector holds.
  package var approximateByteCount: Int {
    switch self {
    case .missing, .constant: 16
    case .integers(let v), .timestamps(let v): v.values.capacity * 8
    case .doubles(let v): v.values.capacity * 8
    case .decimals(let v): v.mantissas.capacity * 9
    case .booleans(let v): v.values.count / 4
    case .strings(let v): v.bytes.capacity + v.offsets.capacity * 4
    case .dictionary(let v): v.codes.capacity * 2 + v.entries.approximateByteCount
    case .values(let v): v.reduce(0) { $0 + $1.approximateByteCount }
    }
  }
}

extension Value {
  /// About how many bytes the value holds.
  package var approximateByteCount: Int {
    let own = MemoryLayout<Value>.stride
    return switch self {
    case .string(let text): own + text.utf8.count
    case .sourceNumber(let number): own + number.text.utf8.count
    case .list(let values): own + values.reduce(0) { $0 + $1.approximateByteCount }
    case .map(let map):
      own + map.values.reduce(0) { $0 + $1.approximateByteCount }
        + map.keys.reduce(0) { $0 + $1.utf8.count + 16 }
    default: own
    }
  }
}
