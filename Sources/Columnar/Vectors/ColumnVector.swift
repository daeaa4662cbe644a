/// The values of one column for the rows of one batch.
///
/// A vector hands out its storage; code that works on it switches over the case once per batch
/// and then loops over plain arrays. Row `i` of the vector belongs to row `i` of its batch.
package indirect enum ColumnVector: Sendable {
  /// No row has a value.
  case missing(count: Int)
  /// Every row has this value (which is not `.missing`).
  case constant(Value, count: Int)
  /// Whole numbers in canonical form.
  case integers(IntegerVector)
  /// Computed numbers, and numbers of events with many digits.
  case doubles(DoubleVector)
  /// Numbers of events with a fixed or varying count of decimals (`12.50`).
  case decimals(DecimalVector)
  /// Milliseconds since 1970.
  case timestamps(IntegerVector)
  /// Computed conditions, printed as 1 and 0.
  case booleans(BooleanVector)
  /// Texts.
  case strings(StringVector)
  /// Codes into a small vector of distinct values.
  case dictionary(DictionaryVector)
  /// Rows of different types, structures, and whatever has no form of its own.
  case values([Value])
}

/// `Int64` values with an optional validity bitmap.
package struct IntegerVector: Sendable {
  /// One number per row; the number of a missing row is meaningless.
  package var values: [Int64]
  /// Set for rows that have a value; `nil` when all have.
  package var validity: Bitmap?

  package init(values: [Int64], validity: Bitmap? = nil) {
    precondition(validity == nil || validity!.count == values.count, "validity of another length")
    self.values = values
    self.validity = validity
  }
}

/// `Double` values with an optional validity bitmap. Valid values are finite.
package struct DoubleVector: Sendable {
  package var values: [Double]
  /// Set for rows that have a value; `nil` when all have.
  package var validity: Bitmap?
  /// They are numbers of events, written with just the digits that tell each from its neighbours, and not computed.
  package var isSource: Bool

  package init(values: [Double], validity: Bitmap? = nil, isSource: Bool = false) {
    precondition(validity == nil || validity!.count == values.count, "validity of another length")
    self.values = values
    self.validity = validity
    self.isSource = isSource
  }

  /// The value of a row that has one.
  func value(at row: Int) -> Value {
    isSource
      ? .sourceNumber(SourceNumber(value: values[row], text: values[row].description))
      : .double(values[row])
  }
}

/// Decimal numbers as events wrote them: value = mantissa / 10^scale, with `scale` decimals shown.
package struct DecimalVector: Sendable {
  package var mantissas: [Int64]
  /// Decimals of each row, 0 to 18; empty when `scale` holds for all.
  package var scales: [UInt8]
  /// Decimals of every row when `scales` is empty.
  package var scale: UInt8
  /// Set for rows that have a value; `nil` when all have.
  package var validity: Bitmap?

  package init(mantissas: [Int64], scales: [UInt8] = [], scale: UInt8 = 0, validity: Bitmap? = nil)
  {
    precondition(scales.isEmpty || scales.count == mantissas.count, "scales of another length")
    precondition(
      validity == nil || validity!.count == mantissas.count, "validity of another length")
    self.mantissas = mantissas
    self.scales = scales
    self.scale = scale
    self.validity = validity
  }
}

/// Conditions.
package struct BooleanVector: Sendable {
  /// Set where the condition holds; clear where the row is missing.
  package var values: Bitmap
  /// Set for rows that have a value; `nil` when all have.
  package var validity: Bitmap?

  package init(values: Bitmap, validity: Bitmap? = nil) {
    precondition(validity == nil || validity!.count == values.count, "validity of another length")
    self.values = values
    self.validity = validity
  }
}

/// Texts laid end to end.
package struct StringVector: Sendable {
  /// `count + 1` positions in `bytes`; text `i` is `bytes[offsets[i]..<offsets[i + 1]]`.
  package var offsets: [UInt32]
  /// UTF-8 as it was ingested; may hold invalid sequences.
  package var bytes: [UInt8]
  /// Set for rows that have a value; `nil` when all have.
  package var validity: Bitmap?

  package init(offsets: [UInt32] = [0], bytes: [UInt8] = [], validity: Bitmap? = nil) {
    precondition(!offsets.isEmpty && Int(offsets[offsets.count - 1]) <= bytes.count)
    precondition(
      validity == nil || validity!.count == offsets.count - 1, "validity of another length")
    self.offsets = offsets
    self.bytes = bytes
    self.validity = validity
  }

  package var count: Int { offsets.count - 1 }

  /// Where text `row` lies in `bytes`.
  package func range(_ row: Int) -> Range<Int> { Int(offsets[row])..<Int(offsets[row + 1]) }
}

/// Codes into distinct entries.
package struct DictionaryVector: Sendable {
  /// One code per row. A code that equals `entries.count` means a missing row.
  package var codes: [UInt16]
  /// The distinct values, at most 65,535, none of them missing.
  package var entries: ColumnVector

  package init(codes: [UInt16], entries: ColumnVector) {
    precondition(entries.count <= 65_535, "too many dictionary entries for 16-bit codes")
    self.codes = codes
    self.entries = entries
  }
}

extension ColumnVector {
  /// How many rows the vector has.
  package var count: Int {
    switch self {
    case .missing(let count), .constant(_, let count): count
    case .integers(let v), .timestamps(let v): v.values.count
    case .doubles(let v): v.values.count
    case .decimals(let v): v.mantissas.count
    case .booleans(let v): v.values.count
    case .strings(let v): v.count
    case .dictionary(let v): v.codes.count
    case .values(let v): v.count
    }
  }
}
