/// The numbers of a column (language reference, 4.2): what arithmetic and numeric aggregates read.
package enum NumericVector: Sendable {
  /// No row has a number.
  case missing(count: Int)
  /// Every row that has a number has a whole one.
  case integers(IntegerVector)
  /// Every row that has a number has a double.
  case doubles(DoubleVector)
  /// Both kinds; they stay apart, because whole numbers are computed exactly.
  case mixed([Number?])

  package var count: Int {
    switch self {
    case .missing(let count): count
    case .integers(let v): v.values.count
    case .doubles(let v): v.values.count
    case .mixed(let v): v.count
    }
  }

  /// The number of one row.
  package func number(at row: Int) -> Number? {
    switch self {
    case .missing: nil
    case .integers(let v): v.validity.allows(row) ? .integer(v.values[row]) : nil
    case .doubles(let v): v.validity.allows(row) ? .double(v.values[row]) : nil
    case .mixed(let v): v[row]
    }
  }

  /// The form for these numbers that keeps each as it is.
  package init(_ numbers: [Number?]) {
    var integers = 0
    var doubles = 0
    for case let number? in numbers {
      if case .integer = number { integers += 1 } else { doubles += 1 }
    }
    if integers + doubles == 0 {
      self = .missing(count: numbers.count)
      return
    }
    if integers > 0, doubles > 0 {
      self = .mixed(numbers)
      return
    }
    let present = integers + doubles
    let validity =
      present == numbers.count ? nil : Bitmap(count: numbers.count) { numbers[$0] != nil }
    if doubles == 0 {
      let values = numbers.map { if case .integer(let number) = $0 { number } else { Int64(0) } }
      self = .integers(IntegerVector(values: values, validity: validity))
    } else {
      let values = numbers.map { if case .double(let number) = $0 { number } else { 0.0 } }
      self = .doubles(DoubleVector(values: values, validity: validity))
    }
  }

  /// The numbers as a column.
  package var column: ColumnVector {
    switch self {
    case .missing(let count): .missing(count: count)
    case .integers(let v): .integers(v)
    case .doubles(let v): .doubles(v)
    case .mixed(let numbers):
      .values(
        numbers.map {
          switch $0 {
          case .integer(let number): .integer(number)
          case .double(let number): .double(number)
          case nil: .missing
          }
        })
    }
  }

  /// All numbers as doubles.
  package var doubles: DoubleVector {
    switch self {
    case .missing(let count):
      return DoubleVector(
        values: [Double](repeating: 0, count: count),
        validity: Bitmap(repeating: false, count: count))
    case .integers(let v):
      return DoubleVector(values: v.values.map { Double($0) }, validity: v.validity)
    case .doubles(let v):
      return v
    case .mixed(let numbers):
      let present = Bitmap(count: numbers.count) { numbers[$0] != nil }
      return DoubleVector(
        values: numbers.map { $0?.asDouble ?? 0 }, validity: present.isFull ? nil : present)
    }
  }
}

extension ColumnVector {
  /// The column's values converted to numbers; what does not convert is missing.
  ///
  /// - Complexity: O(rows), for texts O(bytes)
  package func numbers() -> NumericVector {
    switch self {
    case .missing(let count):
      return .missing(count: count)
    case .constant(let value, let count):
      switch value.number {
      case nil: return .missing(count: count)
      case .integer(let number):
        return .integers(IntegerVector(values: [Int64](repeating: number, count: count)))
      case .double(let number):
        return .doubles(DoubleVector(values: [Double](repeating: number, count: count)))
      }
    case .integers(let v), .timestamps(let v):
      return .integers(v)
    case .doubles(let v):
      return .doubles(DoubleVector(values: v.values, validity: v.validity))
    case .decimals(let v):
      return v.numbers()
    case .booleans(let v):
      return .integers(
        IntegerVector(
          values: (0..<v.values.count).map { v.values[$0] ? 1 : 0 }, validity: v.validity))
    case .strings(let v):
      return v.numbers()
    case .dictionary(let v):
      return v.numbers()
    case .values(let v):
      return NumericVector(v.map(\.number))
    }
  }
}

extension DecimalVector {
  fileprivate func numbers() -> NumericVector {
    if scales.isEmpty {
      if scale == 0 { return .integers(IntegerVector(values: mantissas, validity: validity)) }
      let scale = Int(scale)
      return .doubles(
        DoubleVector(
          values: mantissas.map { DecimalNumber.double(mantissa: $0, scale: scale) },
          validity: validity))
    }
    let numbers = mantissas.indices.map { row -> Number? in
      guard validity.allows(row) else { return nil }
      let scale = scale(at: row)
      if scale == 0 { return .integer(mantissas[row]) }
      return .double(DecimalNumber.double(mantissa: mantissas[row], scale: scale))
    }
    return NumericVector(numbers)
  }
}

extension StringVector {
  fileprivate func numbers() -> NumericVector {
    let numbers = bytes.withUnsafeBufferPointer { bytes in
      (0..<count).map { row -> Number? in
        guard validity.allows(row) else { return nil }
        return NumberText.number(of: UnsafeBufferPointer(rebasing: bytes[range(row)]))
      }
    }
    return NumericVector(numbers)
  }
}

extension DictionaryVector {
  fileprivate func numbers() -> NumericVector {
    let missing = UInt16(entries.count)
    let rows = codes.map { $0 == missing ? ColumnVector.missingRow : UInt32($0) }
    switch entries.numbers() {
    case .mixed(let numbers):
      return NumericVector(
        rows.map { $0 == ColumnVector.missingRow ? nil : numbers[Int($0)] })
    case let typed:
      switch typed.column.gatherOrMissing(rows) {
      case .integers(let v): return .integers(v)
      case .doubles(let v): return .doubles(v)
      default: return .missing(count: rows.count)
      }
    }
  }
}
