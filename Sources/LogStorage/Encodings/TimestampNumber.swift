/// Numbers that count time since 1970, told by their size: seconds (perhaps with decimals), milli-, micro- or
/// nanoseconds.
///
/// Like ``TimestampTextRun``, what is stored is the distance from the event's own time in the number's own
/// ticks, form by form: nothing at all for the field from which the event's time came.
///
/// `1772445600.123` at event time 1772445600123 ms: ticks of a millisecond, three decimals, distance 0.
struct TimestampNumberForm: Hashable {
  /// Ticks are 10 to this power in a second.
  var tickExponent: UInt8
  /// Decimals of the number as written.
  var scale: UInt8

  /// The form of a canonical number of this many digits before the point.
  init?(wholeDigits: Int, scale: UInt8) {
    switch (wholeDigits, scale) {
    case (10, 0...9): self.init(tickExponent: scale, scale: scale)
    case (13, 0): self.init(tickExponent: 3, scale: 0)
    case (16, 0): self.init(tickExponent: 6, scale: 0)
    case (19, 0): self.init(tickExponent: 9, scale: 0)
    default: return nil
    }
  }

  /// - Precondition: both at most 9; for bytes from outside this was checked.
  init(tickExponent: UInt8, scale: UInt8) {
    self.tickExponent = tickExponent
    self.scale = scale
  }

  /// An event time in the form's ticks.
  @inline(__always)
  func ticks(milliseconds: Int64) -> Int64 {
    if tickExponent >= 3 {
      return milliseconds &* TimestampTextRun.powersOfTen[Int(tickExponent) - 3]
    }
    return floorDivide(milliseconds, TimestampTextRun.powersOfTen[3 - Int(tickExponent)])
  }

  /// Whether the number is within some hours of an event's time, as a time of the event would be.
  func isNear(_ ticks: Int64, milliseconds: Int64) -> Bool {
    let day = 86_400 * TimestampTextRun.powersOfTen[Int(tickExponent)]
    return (ticks &- self.ticks(milliseconds: milliseconds)).magnitude < UInt64(day)
  }
}

extension ColumnEncoder {
  /// The numbers as times, or `nil` if they are none.
  func timestampNumbers() -> (bytes: [UInt8], minimum: Double, maximum: Double)? {
    guard let first = timestampNumber(0),
      first.form.isNear(first.ticks, milliseconds: rows.time(0))
    else { return nil }
    var forms: [TimestampNumberForm] = []
    var formOf: [UInt16] = []
    var residuals: [Int64] = []
    var minimum = Double.infinity
    var maximum = -Double.infinity
    for i in 0..<column.count {
      guard let (form, ticks) = timestampNumber(i) else { return nil }
      let known = forms.firstIndex(of: form)
      if known == nil { forms.append(form) }
      formOf.append(UInt16(known ?? forms.count - 1))
      residuals.append(ticks &- form.ticks(milliseconds: rows.time(i)))
      let value = Double(ticks) / Self.powersOfTen[Int(form.scale)]
      minimum = min(minimum, value)
      maximum = max(maximum, value)
    }
    var writer = ByteWriter(capacity: column.count)
    writer.append(varint: forms.count)
    for form in forms {
      writer.append(form.tickExponent)
      writer.append(form.scale)
    }
    append(codes: formOf, cardinality: forms.count, to: &writer)
    append(residuals, by: formOf, count: forms.count, to: &writer)
    return (writer.bytes, minimum, maximum)
  }

  private func timestampNumber(_ i: Int) -> (form: TimestampNumberForm, ticks: Int64)? {
    let length = column.length(i)
    guard length >= 10, column.start(i)[0] != UInt8(ascii: "-") else { return nil }
    if let ticks = DecimalText.integer(column.start(i), length) {
      return TimestampNumberForm(wholeDigits: length, scale: 0).map { ($0, ticks) }
    }
    guard let (mantissa, scale) = DecimalText.decimal(column.start(i), length), scale > 0,
      let form = TimestampNumberForm(wholeDigits: length - Int(scale) - 1, scale: scale)
    else { return nil }
    return (form, mantissa)
  }
}

extension ColumnDecoder {
  static func timestampNumbers(
    _ reader: inout ByteReader, count: Int, context: ColumnContext
  ) throws -> ColumnData {
    let formCount = try reader.count(limit: 64)
    guard formCount > 0 else { throw DecodingFailure("times without a form") }
    var forms: [TimestampNumberForm] = []
    for _ in 0..<formCount {
      let form = TimestampNumberForm(tickExponent: try reader.byte(), scale: try reader.byte())
      guard form.tickExponent <= 9, form.scale <= 9 else {
        throw DecodingFailure("\(form.tickExponent) digits of a second")
      }
      forms.append(form)
    }
    let formOf = try CodeStream.decode(
      &reader, count: count, cardinality: formCount, decompressor: context.decompressor,
      shapes: context.shapesByFirstRow)
    let ticks = try ticks(&reader, formOf: formOf, count: formCount, context: context) {
      forms[$0].ticks(milliseconds: $1)
    }
    guard let scale = forms.map(\.scale).max(), scale > 0 else { return .integers(ticks) }
    let scales = formCount == 1 ? [] : formOf.map { forms[Int($0)].scale }
    return .decimals(DecimalRun(mantissas: ticks, scales: scales, scale: scale))
  }

  /// Times stored as distances, form by form.
  static func ticks(
    _ reader: inout ByteReader, formOf: [UInt16], count formCount: Int, context: ColumnContext,
    _ eventTicks: (_ form: Int, _ milliseconds: Int64) -> Int64
  ) throws -> [Int64] {
    let times = try context.times()
    guard times.count == formOf.count else { throw DecodingFailure("times of another row count") }
    var counts = [Int](repeating: 0, count: formCount)
    for form in formOf { counts[Int(form)] += 1 }
    var ticks = [Int64](repeating: 0, count: formOf.count)
    for form in 0..<formCount {
      let residuals = try IntegerStream.decode(
        &reader, count: counts[form], decompressor: context.decompressor)
      var next = 0
      for i in formOf.indices where Int(formOf[i]) == form {
        ticks[i] = residuals[next] &+ eventTicks(form, times[i])
        next += 1
      }
    }
    return ticks
  }
}
