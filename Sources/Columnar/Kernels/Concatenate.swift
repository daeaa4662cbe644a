// Several batches' columns become one: for results, sorts and joins that hold many batches.
//
// The form survives where all parts share it: typed numbers stay typed, dictionaries of texts are
// merged into one dictionary (their codes translated), texts are appended. A part without any value
// fits every form; so does a constant of the form's type. Only parts of different types fall back to
// single values.

extension ColumnVector {
  /// The rows of all parts, one part after the other.
  ///
  /// - Complexity: O(rows + bytes of the texts)
  package static func concatenate(_ parts: [ColumnVector]) -> ColumnVector {
    let parts = parts.filter { $0.count > 0 }
    if parts.count == 1 { return parts[0] }
    let count = parts.reduce(0) { $0 + $1.count }
    let forms = Set(parts.map(\.form)).subtracting([.missing])
    if forms.isEmpty { return .missing(count: count) }
    if let constant = commonConstant(parts) { return .constant(constant, count: count) }
    if forms.contains(.dictionary) {
      if let merged = DictionaryMerge.merge(parts) { return .dictionary(merged) }
      return concatenate(
        parts.map { if case .dictionary(let v) = $0 { v.flattened() } else { $0 } })
    }
    guard forms.count == 1, let form = forms.first else {
      return .values(parts.flatMap { $0.values() })
    }
    let validity = joinedValidity(parts, count: count)
    switch form {
    case .integer: return .integers(IntegerVector(values: integers(parts), validity: validity))
    case .timestamp: return .timestamps(IntegerVector(values: integers(parts), validity: validity))
    case .double, .sourceDouble:
      return .doubles(
        DoubleVector(
          values: doubles(parts), validity: validity, isSource: form == .sourceDouble))
    case .decimal: return .decimals(decimals(parts, validity))
    case .boolean:
      let values = Bitmap.concatenate(parts.map(\.conditions))
      return .booleans(BooleanVector(values: values, validity: validity))
    case .string: return strings(parts, validity)
    case .missing, .dictionary, .value: return .values(parts.flatMap { $0.values() })
    }
  }

  private enum Form {
    case missing, integer, timestamp, double, sourceDouble, decimal, boolean, string, dictionary,
      value
  }

  private var form: Form {
    switch self {
    case .missing: .missing
    case .integers, .constant(.integer, _): .integer
    case .timestamps, .constant(.timestamp, _): .timestamp
    case .doubles(let v): v.isSource ? .sourceDouble : .double
    case .constant(.double, _): .double
    case .decimals: .decimal
    case .booleans, .constant(.boolean, _): .boolean
    case .strings, .constant(.string, _): .string
    case .dictionary: .dictionary
    case .values, .constant: .value
    }
  }

  private static func commonConstant(_ parts: [ColumnVector]) -> Value? {
    guard case .constant(let value, _) = parts[0] else { return nil }
    for part in parts {
      guard case .constant(let other, _) = part, value.isIdentical(to: other) else { return nil }
    }
    return value
  }

  private static func joinedValidity(_ parts: [ColumnVector], count: Int) -> Bitmap? {
    let joined = Bitmap.concatenate(parts.map { $0.presence() })
    return joined.isFull ? nil : joined
  }

  // MARK: Typed parts

  private static func integers(_ parts: [ColumnVector]) -> [Int64] {
    var result: [Int64] = []
    result.reserveCapacity(parts.reduce(0) { $0 + $1.count })
    for part in parts {
      switch part {
      case .integers(let v), .timestamps(let v): result += v.values
      case .constant(.integer(let number), let count), .constant(.timestamp(let number), let count):
        result += repeatElement(number, count: count)
      default: result += repeatElement(0, count: part.count)
      }
    }
    return result
  }

  private static func doubles(_ parts: [ColumnVector]) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(parts.reduce(0) { $0 + $1.count })
    for part in parts {
      switch part {
      case .doubles(let v): result += v.values
      case .constant(.double(let number), let count): result += repeatElement(number, count: count)
      default: result += repeatElement(0, count: part.count)
      }
    }
    return result
  }

  private static func decimals(_ parts: [ColumnVector], _ validity: Bitmap?) -> DecimalVector {
    var result = DecimalVector(mantissas: [])
    var common: UInt8?
    var isUniform = true
    for case .decimals(let v) in parts {
      isUniform = isUniform && v.scales.isEmpty && common ?? v.scale == v.scale
      common = v.scale
    }
    for part in parts {
      if case .decimals(let v) = part {
        result.mantissas += v.mantissas
        if isUniform { continue }
        result.scales +=
          v.scales.isEmpty ? [UInt8](repeating: v.scale, count: v.mantissas.count) : v.scales
      } else {
        result.mantissas += repeatElement(0, count: part.count)
        if !isUniform { result.scales += repeatElement(0, count: part.count) }
      }
    }
    if isUniform { result.scale = common ?? 0 }
    result.validity = validity
    return result
  }

  /// The bits of a part of conditions; clear where it has none.
  private var conditions: Bitmap {
    switch self {
    case .booleans(let v): v.values
    case .constant(.boolean(let value), let count): Bitmap(repeating: value, count: count)
    default: Bitmap(repeating: false, count: count)
    }
  }

  private static func strings(_ parts: [ColumnVector], _ validity: Bitmap?) -> ColumnVector {
    var result = StringVector()
    result.offsets.reserveCapacity(parts.reduce(1) { $0 + $1.count })
    result.bytes.reserveCapacity(
      parts.reduce(0) { sum, part in
        guard case .strings(let v) = part else { return sum }
        return sum + Int(v.offsets[v.count] - v.offsets[0])
      })
    for part in parts {
      switch part {
      case .strings(let v):
        let start = Int(v.offsets[0])
        let shift = result.bytes.count - start
        result.bytes += v.bytes[start..<Int(v.offsets[v.count])]
        precondition(result.bytes.count <= UInt32.max, "more than 4 GiB of text in one vector")
        result.offsets += v.offsets.dropFirst().map { UInt32(truncatingIfNeeded: Int($0) + shift) }
      case .constant(.string(let text), let count):
        let utf8 = Array(text.utf8)
        precondition(
          result.bytes.count + utf8.count * count <= UInt32.max,
          "more than 4 GiB of text in one vector")
        for _ in 0..<count {
          result.bytes += utf8
          result.offsets.append(UInt32(truncatingIfNeeded: result.bytes.count))
        }
      default:
        result.offsets += repeatElement(
          UInt32(truncatingIfNeeded: result.bytes.count), count: part.count)
      }
    }
    result.validity = validity
    return .strings(result)
  }
}

/// One dictionary for the dictionaries, constants and missing parts of a column of texts.
private struct DictionaryMerge {
  private var table = ByteTable()
  private var entries = StringVector()

  /// `nil` when a part is neither, an entry is no text, or the dictionary would not stay small.
  static func merge(_ parts: [ColumnVector]) -> DictionaryVector? {
    if let shared = sharingEntries(parts) { return shared }
    var merge = DictionaryMerge()
    var codes: [UInt32] = []
    codes.reserveCapacity(parts.reduce(0) { $0 + $1.count })
    for part in parts {
      switch part {
      case .missing(let count): codes += repeatElement(.max, count: count)
      case .constant(.string(let text), let count):
        codes += repeatElement(merge.code(Array(text.utf8)), count: count)
      case .dictionary(let v):
        guard let translated = merge.codes(of: v.entries) else { return nil }
        for code in v.codes { codes.append(translated[Int(code)]) }
      default: return nil
      }
      if merge.table.count > 65_535 { return nil }
    }
    let missing = UInt32(merge.table.count)
    return DictionaryVector(
      codes: codes.map { UInt16(truncatingIfNeeded: min($0, missing)) },
      entries: .strings(merge.entries))
  }

  /// All parts dictionaries over the very same entries, as slices of one column are.
  private static func sharingEntries(_ parts: [ColumnVector]) -> DictionaryVector? {
    guard case .dictionary(let first) = parts[0], case .strings(let entries) = first.entries
    else { return nil }
    var codes: [UInt16] = []
    for part in parts {
      guard case .dictionary(let v) = part, case .strings(let others) = v.entries,
        others.sharesStorage(with: entries)
      else { return nil }
      codes += v.codes
    }
    return DictionaryVector(codes: codes, entries: first.entries)
  }

  private mutating func code(_ text: [UInt8]) -> UInt32 {
    text.withUnsafeBufferPointer { code($0) }
  }

  private mutating func code(_ text: UnsafeBufferPointer<UInt8>) -> UInt32 {
    let code = table.insert(text)
    if Int(code) == entries.count {
      entries.bytes += text
      entries.offsets.append(UInt32(truncatingIfNeeded: entries.bytes.count))
    }
    return code
  }

  /// The code of each entry, and after them the code of a missing row.
  private mutating func codes(of column: ColumnVector) -> [UInt32]? {
    switch column {
    case .strings(let v):
      guard v.validity == nil else { return nil }
      return v.bytes.withUnsafeBufferPointer { bytes in
        (0..<v.count).map { code(UnsafeBufferPointer(rebasing: bytes[v.range($0)])) } + [.max]
      }
    case .constant(.string(let text), 1):
      return [code(Array(text.utf8)), .max]
    default:
      return nil
    }
  }
}

extension StringVector {
  /// Whether both are views of one buffer with the same offsets; `false` is not certain.
  package func sharesStorage(with other: StringVector) -> Bool {
    func address<T>(_ array: [T]) -> UnsafePointer<T>? {
      array.withUnsafeBufferPointer { $0.baseAddress }
    }
    return count == other.count && address(bytes) == address(other.bytes)
      && address(offsets) == address(other.offsets)
  }
}

extension Bitmap {
  /// The bits of all parts, one part after the other.
  static func concatenate(_ parts: [Bitmap]) -> Bitmap {
    let count = parts.reduce(0) { $0 + $1.count }
    var words = [UInt64](repeating: 0, count: (count + 63) >> 6)
    var position = 0
    for part in parts {
      let shift = UInt64(position & 63)
      for (i, word) in part.words.enumerated() where word != 0 {
        let index = position >> 6 + i
        words[index] |= word << shift
        if shift > 0, word >> (64 - shift) != 0 { words[index + 1] |= word >> (64 - shift) }
      }
      position += part.count
    }
    return Bitmap(words: words, count: count)
  }
}

extension Value {
  /// Whether two values of one type are the same, texts by code points; `false` for structures.
  fileprivate func isIdentical(to other: Value) -> Bool {
    switch (self, other) {
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    case (.sourceNumber(let a), .sourceNumber(let b)): a.text.utf8.elementsEqual(b.text.utf8)
    case (.integer, .integer), (.double, .double), (.boolean, .boolean),
      (.jsonBoolean, .jsonBoolean), (.timestamp, .timestamp):
      self == other
    default: false
    }
  }
}

extension ColumnBatch {
  /// The rows of all batches, one batch after the other.
  ///
  /// - Precondition: at least one batch, and all have the same column names in the same order.
  package static func concatenate(_ batches: [ColumnBatch]) -> ColumnBatch {
    precondition(!batches.isEmpty, "no batch to take the columns from")
    let names = batches[0].names
    precondition(batches.allSatisfy { $0.names == names }, "batches with different columns")
    return ColumnBatch(
      names: names,
      columns: names.indices.map { i in ColumnVector.concatenate(batches.map { $0.columns[i] }) },
      rowCount: batches.reduce(0) { $0 + $1.rowCount })
  }
}
