extension ColumnVector {
  /// The seed of hashes that are the same in every process.
  private static let stableSeed: UInt64 = 0x5851_F42D_4C95_7F2D

  /// A 64-bit hash of each row's key (see ``KeyIdentity``), and the rows that have one: not the
  /// missing ones, nor maps and lists. Equal keys have equal hashes, in every process.
  ///
  /// - Complexity: O(rows), for texts O(bytes)
  package func keyHashes() -> (hashes: [UInt64], present: Bitmap) {
    switch self {
    case .missing(let count):
      return ([UInt64](repeating: 0, count: count), Bitmap(repeating: false, count: count))
    case .constant(let value, let count):
      let hash = Self.hash(value)
      return (
        [UInt64](repeating: hash ?? 0, count: count), Bitmap(repeating: hash != nil, count: count)
      )
    case .integers(let v):
      var text: [UInt8] = []
      return (
        v.values.map { number in
          text.removeAll(keepingCapacity: true)
          NumberFormat.append(number, to: &text)
          return text.withUnsafeBufferPointer { TableHash.hash($0, seed: Self.stableSeed) }
        }, presence()
      )
    case .strings(let v):
      let hashes = v.bytes.withUnsafeBufferPointer { bytes in
        (0..<v.count).map { row -> UInt64 in
          let text = UnsafeBufferPointer(rebasing: bytes[v.range(row)])
          if TextBytes.isASCII(text) { return TableHash.hash(text, seed: Self.stableSeed) }
          return Self.hash(.string(String(decoding: text, as: UTF8.self))) ?? 0
        }
      }
      return (hashes, presence())
    case .dictionary(let v):
      let (hashes, present) = v.entries.keyHashes()
      let all = hashes + [0]
      return (v.codes.map { all[Int($0)] }, v.rows(whereEntry: present))
    default:
      let values = values()
      return (
        values.map { Self.hash($0) ?? 0 },
        Bitmap(count: values.count) { !values[$0].isMissing && !values[$0].isStructure }
      )
    }
  }

  /// The hash of a value's key text; `nil` for what has no key.
  private static func hash(_ value: Value) -> UInt64? {
    if value.isMissing || value.isStructure { return nil }
    return KeyIdentity.withText(of: value) { TableHash.hash($0, seed: stableSeed) }
  }
}

extension KeyIdentity {
  /// Calls `body` with the text of a key, without the length that stands before it.
  ///
  /// - Precondition: the value is neither missing nor a structure.
  package static func withText<R>(of value: Value, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    let key = key(of: value)
    // The length is a number in bytes of which the last is below 0x80.
    let start = (key.firstIndex { $0 < 0x80 } ?? 0) + 1
    return key.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[start...])) }
  }
}
