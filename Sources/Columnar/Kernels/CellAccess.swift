// One cell at a time: for results, rare functions and rows whose types differ. Whatever runs over
// every row of a scan switches over the vector once and works on its storage instead.

extension ColumnVector {
  /// The value of one row; bytes that are not UTF-8 are replaced.
  ///
  /// - Precondition: `row` is below `count`.
  package func value(at row: Int) -> Value {
    switch self {
    case .missing(let count):
      precondition(row < count, "no such row")
      return .missing
    case .constant(let value, let count):
      precondition(row < count, "no such row")
      return value
    case .integers(let v): return v.validity.allows(row) ? .integer(v.values[row]) : .missing
    case .timestamps(let v): return v.validity.allows(row) ? .timestamp(v.values[row]) : .missing
    case .doubles(let v): return v.validity.allows(row) ? v.value(at: row) : .missing
    case .decimals(let v): return v.validity.allows(row) ? v.value(at: row) : .missing
    case .booleans(let v): return v.validity.allows(row) ? .boolean(v.values[row]) : .missing
    case .strings(let v): return v.validity.allows(row) ? .string(v.text(at: row)) : .missing
    case .dictionary(let v):
      let code = Int(v.codes[row])
      return code == v.entries.count ? .missing : v.entries.value(at: code)
    case .values(let v): return v[row]
    }
  }

  /// The values of all rows.
  package func values() -> [Value] {
    if case .values(let values) = self { return values }
    if case .dictionary(let v) = self {
      let entries = v.entries.values() + [.missing]
      return v.codes.map { entries[Int($0)] }
    }
    return (0..<count).map { value(at: $0) }
  }

  /// Set for the rows that have a value.
  package func presence() -> Bitmap {
    switch self {
    case .missing(let count): return Bitmap(repeating: false, count: count)
    case .constant(_, let count): return Bitmap(repeating: true, count: count)
    case .integers(let v), .timestamps(let v): return v.validity.orFull(v.values.count)
    case .doubles(let v): return v.validity.orFull(v.values.count)
    case .decimals(let v): return v.validity.orFull(v.mantissas.count)
    case .booleans(let v): return v.validity.orFull(v.values.count)
    case .strings(let v): return v.validity.orFull(v.count)
    case .dictionary(let v): return v.rows(whereEntry: v.entries.presence())
    case .values(let v): return Bitmap(count: v.count) { !v[$0].isMissing }
    }
  }
}

extension ColumnVector {
  /// The narrowest vector for these values: typed when all present ones are of one type.
  ///
  /// Reading the vector gives back exactly `values`.
  package init(_ values: [Value]) {
    var kind: Kind?
    for value in values {
      guard let next = Kind(value) else {
        if value.isMissing { continue }
        kind = .mixed
        break
      }
      if kind == nil { kind = next }
      if kind != next { kind = .mixed }
      if kind == .mixed { break }
    }
    guard let kind else {
      self = .missing(count: values.count)
      return
    }
    self = Self.vector(of: values, kind)
  }

  private enum Kind {
    case integer, timestamp, double, boolean, string, mixed

    /// `nil` for a missing value and for what has no typed vector.
    init?(_ value: Value) {
      switch value {
      case .integer: self = .integer
      case .timestamp: self = .timestamp
      case .double: self = .double
      case .boolean: self = .boolean
      case .string: self = .string
      case .missing, .sourceNumber, .jsonBoolean, .list, .map: return nil
      }
    }
  }

  private static func vector(of values: [Value], _ kind: Kind) -> ColumnVector {
    let present = Bitmap(count: values.count) { !values[$0].isMissing }
    let validity = present.isFull ? nil : present
    func integers() -> IntegerVector {
      IntegerVector(
        values: values.map {
          switch $0 {
          case .integer(let number), .timestamp(let number): number
          default: 0
          }
        }, validity: validity)
    }
    switch kind {
    case .integer: return .integers(integers())
    case .timestamp: return .timestamps(integers())
    case .double:
      return .doubles(
        DoubleVector(
          values: values.map { if case .double(let number) = $0 { number } else { 0 } },
          validity: validity))
    case .boolean:
      let bits = Bitmap(count: values.count) { values[$0] == .boolean(true) }
      return .booleans(BooleanVector(values: bits, validity: validity))
    case .string:
      return .strings(
        StringVector(values.map { if case .string(let text) = $0 { text } else { nil } }))
    case .mixed: return .values(values)
    }
  }
}

extension StringVector {
  /// Texts laid end to end, `nil` for a missing row.
  package init(_ texts: [String?]) {
    self.init()
    offsets.reserveCapacity(texts.count + 1)
    bytes.reserveCapacity(texts.reduce(0) { $0 + ($1?.utf8.count ?? 0) })
    for text in texts {
      if let text { bytes.append(contentsOf: text.utf8) }
      precondition(bytes.count <= UInt32.max, "more than 4 GiB of text in one vector")
      offsets.append(UInt32(truncatingIfNeeded: bytes.count))
    }
    let present = Bitmap(count: texts.count) { texts[$0] != nil }
    validity = present.isFull ? nil : present
  }

  /// The text of a row, missing or not; bytes that are not UTF-8 are replaced.
  package func text(at row: Int) -> String {
    String(decoding: bytes[range(row)], as: UTF8.self)
  }
}

extension DictionaryVector {
  /// The rows whose entry is set in `entries`; missing rows are not.
  ///
  /// - Precondition: `kept` has one bit per entry.
  package func rows(whereEntry kept: Bitmap) -> Bitmap {
    precondition(kept.count == entries.count, "not one bit per entry")
    if kept.isEmpty { return Bitmap(repeating: false, count: codes.count) }
    if kept.isFull {
      // All but missing ones.
      let missing = UInt16(truncatingIfNeeded: entries.count)
      return codes.withUnsafeBufferPointer { codes in
        Bitmap(count: codes.count) { codes[$0] != missing }
      }
    }
    var flags = [UInt8](repeating: 0, count: entries.count + 1)
    kept.forEachSetRow { flags[$0] = 1 }
    return flags.withUnsafeBufferPointer { flags in
      codes.withUnsafeBufferPointer { codes in
        Bitmap(count: codes.count) { flags[Int(codes[$0])] != 0 }
      }
    }
  }
}

extension Optional where Wrapped == Bitmap {
  /// Whether the row is valid; a vector without validity has all its rows.
  @inline(__always)
  func allows(_ row: Int) -> Bool {
    switch self {
    case .none: true
    case .some(let bits): bits[row]
    }
  }

  /// The bitmap, or a full one.
  func orFull(_ count: Int) -> Bitmap { self ?? Bitmap(repeating: true, count: count) }
}
