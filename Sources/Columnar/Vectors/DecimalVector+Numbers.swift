/// Decimal numbers as text and as doubles.
package enum DecimalNumber {
  /// 10^0 to 10^18; each is a double exactly.
  static let powers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18,
  ]

  /// The double nearest to `mantissa / 10^scale`, the one that reading its text would give.
  ///
  /// - Precondition: `scale` is at most 18.
  @inline(__always)
  package static func double(mantissa: Int64, scale: Int) -> Double {
    // Up to 2^53 the mantissa and the power are exact, and one division rounds once.
    if mantissa.magnitude <= 1 << 53 { return Double(mantissa) / powers[scale] }
    return wide(mantissa: mantissa, scale: scale)
  }

  @inline(never)
  private static func wide(mantissa: Int64, scale: Int) -> Double {
    Double(text(mantissa: mantissa, scale: scale)) ?? Double(mantissa) / powers[scale]
  }

  /// `mantissa / 10^scale` with exactly `scale` decimals.
  package static func text(mantissa: Int64, scale: Int) -> String {
    let digits = String(mantissa.magnitude)
    let sign = mantissa < 0 ? "-" : ""
    if scale == 0 { return sign + digits }
    let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
    return sign + padded.dropLast(scale) + "." + padded.suffix(scale)
  }
}

extension DecimalVector {
  /// The counts of decimals that rows have, each once, where `scales` tells them.
  package var scalesInUse: [UInt8] {
    var seen = [Bool](repeating: false, count: 256)
    for scale in scales { seen[Int(scale)] = true }
    return (0...UInt8.max).filter { seen[Int($0)] }
  }

  /// The doubles nearest to the numbers of all rows; rows without one have some number.
  package func doubles() -> [Double] {
    let largest = scales.withUnsafeBufferPointer { $0.reduce(scale) { max($0, $1) } }
    precondition(Int(largest) < DecimalNumber.powers.count, "more decimals than numbers have")
    return [Double](unsafeUninitializedCapacity: mantissas.count) { target, used in
      mantissas.withUnsafeBufferPointer { mantissas in
        scales.withUnsafeBufferPointer { scales in
          DecimalNumber.powers.withUnsafeBufferPointer { powers in
            for row in mantissas.indices {
              let mantissa = mantissas[row]
              // There are as many scales as rows, or none, and a power for each, as was just checked.
              let scale = Int(scales.isEmpty ? self.scale : scales[row])
              target[row] =
                mantissa.magnitude <= 1 << 53
                ? Double(mantissa) / powers[scale]
                : DecimalNumber.double(mantissa: mantissa, scale: scale)
            }
          }
        }
      }
      used = mantissas.count
    }
  }

  /// The double nearest to the number of a row.
  @inline(__always)
  package func double(at row: Int) -> Double {
    DecimalNumber.double(mantissa: mantissas[row], scale: scale(at: row))
  }

  /// Decimals of one row.
  @inline(__always)
  func scale(at row: Int) -> Int { Int(scales.isEmpty ? scale : scales[row]) }

  /// The value of a row that has one: a whole number when it shows no decimals.
  func value(at row: Int) -> Value {
    let scale = scale(at: row)
    let mantissa = mantissas[row]
    if scale == 0 { return .integer(mantissa) }
    return .sourceNumber(
      SourceNumber(
        value: DecimalNumber.double(mantissa: mantissa, scale: scale),
        text: DecimalNumber.text(mantissa: mantissa, scale: scale)))
  }
}
