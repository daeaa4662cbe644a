extension ColumnVector {
  /// The rows whose value counts as true in a condition (language reference, 4.5).
  ///
  /// - Complexity: O(rows), for texts O(bytes)
  package func truth() -> Bitmap {
    switch self {
    case .missing(let count):
      return Bitmap(repeating: false, count: count)
    case .constant(let value, let count):
      return Bitmap(repeating: value.truth, count: count)
    case .integers(let v):
      let values = v.values
      return Bitmap(count: values.count) { values[$0] != 0 }.masked(v.validity)
    case .timestamps(let v):
      let values = v.values
      return Bitmap(count: values.count) { Value.timestamp(values[$0]).truth }
        .masked(v.validity)
    case .doubles(let v):
      let values = v.values
      return Bitmap(count: values.count) { values[$0] != 0 }.masked(v.validity)
    case .decimals(let v):
      let mantissas = v.mantissas
      return Bitmap(count: mantissas.count) { mantissas[$0] != 0 }.masked(v.validity)
    case .booleans(let v):
      return v.values.masked(v.validity)
    case .strings(let v):
      return v.bytes.withUnsafeBufferPointer { bytes in
        Bitmap(count: v.count) { row in
          let text = UnsafeBufferPointer(rebasing: bytes[v.range(row)])
          return BooleanText.boolean(of: text)
            ?? NumberText.number(of: text).map { !$0.isZero } ?? false
        }
      }.masked(v.validity)
    case .dictionary(let v):
      return v.rows(whereEntry: v.entries.truth())
    case .values(let v):
      return Bitmap(count: v.count) { v[$0].truth }
    }
  }
}
