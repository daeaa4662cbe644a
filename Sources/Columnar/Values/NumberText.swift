// Numbers in texts.
//
// Columns of captures hold numbers as text, and a comparison or a sum reads each of them, so the
// bytes are read without making a `String`. Sign, digits, point and exponent are taken in one pass
// that gathers the digits in a 64-bit mantissa. Up to 2^53 a mantissa is a double exactly, as are
// the powers of ten up to 10^22; one multiplication or division of the two then rounds once and gives
// the nearest double: `12.50` is 1250 / 10^2. Everything else (longer mantissas, larger
// exponents) goes the slow way through `Double(String)`, which gives the nearest double too.

/// Reads numbers from the bytes of texts.
package enum NumberText {
  private static let powers: [Double] = (0...22).map {
    (0..<$0).reduce(1.0) { power, _ in power * 10 }
  }

  /// The number that a text is by the language's rule for conversion: blanks around it do not
  /// matter, the rest must be one decimal number in full; `nil` for anything else, also for
  /// numbers too large for a double.
  ///
  /// - Complexity: O(bytes), and a letter ends it at once
  package static func number(of text: UnsafeBufferPointer<UInt8>) -> Number? {
    var start = 0
    var end = text.count
    while start < end, isBlank(text[start]) { start &+= 1 }
    while start < end, isBlank(text[end &- 1]) { end &-= 1 }
    guard
      let number = numberWithoutBlanks(UnsafeBufferPointer(rebasing: text[start..<end]))
    else { return nil }
    if case .double(let double) = number, !double.isFinite { return nil }
    return number
  }

  /// The number that a text is from its first byte to its last: optional sign, digits, optionally a
  /// point and an exponent. One that is too large for a double is infinite.
  ///
  /// - Complexity: O(bytes), and a letter ends it at once
  package static func numberWithoutBlanks(_ text: UnsafeBufferPointer<UInt8>) -> Number? {
    guard let parts = Parts(text) else { return nil }
    if parts.isWhole {
      if parts.isExact {
        let magnitude = Int64(parts.mantissa)
        return .integer(parts.isNegative ? 0 &- magnitude : magnitude)
      }
      if let whole = Int64(String(decoding: text, as: UTF8.self)) { return .integer(whole) }
    }
    return .double(double(parts, text))
  }

  /// The double nearest to a text that is a number; infinite when it is too large.
  ///
  /// - Precondition: `text` is a number in the sense of ``numberWithoutBlanks(_:)``.
  static func double(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
    Parts(text).map { double($0, text) }
  }

  @inline(__always)
  private static func double(_ parts: Parts, _ text: UnsafeBufferPointer<UInt8>) -> Double {
    let power = parts.exponent &- parts.decimals
    guard parts.isExact, parts.mantissa <= 1 << 53, power.magnitude <= 22 else {
      return slowDouble(text)
    }
    let mantissa = Double(parts.mantissa)
    let value =
      power < 0 ? mantissa / powers[Int(power.magnitude)] : mantissa * powers[Int(power)]
    return parts.isNegative ? -value : value
  }

  @inline(never)
  private static func slowDouble(_ text: UnsafeBufferPointer<UInt8>) -> Double {
    guard let value = Double(String(decoding: text, as: UTF8.self)) else {
      preconditionFailure("a text checked to be a number is not read as one")
    }
    return value
  }

  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

  /// What one pass over a number's text finds.
  private struct Parts {
    var isNegative = false
    var mantissa: UInt64 = 0
    /// Whether the mantissa holds all digits.
    var isExact = true
    /// Digits behind the point.
    var decimals = 0
    /// Of the `e` part; far beyond any double's when the text's is even farther.
    var exponent = 0
    /// Neither point nor exponent.
    var isWhole = true

    @inline(__always)
    init?(_ text: UnsafeBufferPointer<UInt8>) {
      let count = text.count
      var i = 0
      if i < count, text[i] == UInt8(ascii: "-") || text[i] == UInt8(ascii: "+") {
        isNegative = text[i] == UInt8(ascii: "-")
        i = 1
      }
      let first = i
      var point = -1
      while i < count {
        let digit = text[i] &- 0x30
        if digit < 10 {
          // Below this bound another digit keeps the mantissa within Int64.
          if mantissa <= 922_337_203_685_477_579 {
            mantissa = mantissa &* 10 &+ UInt64(digit)
          } else {
            isExact = false
          }
        } else if text[i] == UInt8(ascii: "."), point < 0 {
          point = i
        } else {
          break
        }
        i &+= 1
      }
      let digits = i &- first &- (point < 0 ? 0 : 1)
      guard digits > 0 else { return nil }
      if point >= 0 {
        decimals = i &- point &- 1
        isWhole = false
      }
      if i < count {
        guard readExponent(text, i) else { return nil }
        isWhole = false
      }
    }

    private mutating func readExponent(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
      guard text[start] | 0x20 == UInt8(ascii: "e") else { return false }
      var i = start + 1
      var negative = false
      if i < text.count, text[i] == UInt8(ascii: "-") || text[i] == UInt8(ascii: "+") {
        negative = text[i] == UInt8(ascii: "-")
        i += 1
      }
      guard i < text.count else { return false }
      while i < text.count {
        let digit = text[i] &- 0x30
        guard digit < 10 else { return false }
        if exponent < 1_000_000_000 { exponent = exponent * 10 + Int(digit) }
        i += 1
      }
      if negative { exponent = -exponent }
      return true
    }
  }
}

/// Texts of the language's truth values.
enum BooleanText {
  /// `true` and `false` in any case.
  static func boolean(of text: UnsafeBufferPointer<UInt8>) -> Bool? {
    if isWord(text, "true") { return true }
    return isWord(text, "false") ? false : nil
  }

  private static func isWord(_ text: UnsafeBufferPointer<UInt8>, _ word: StaticString) -> Bool {
    guard text.count == word.utf8CodeUnitCount else { return false }
    for i in 0..<text.count where text[i] | 0x20 != word.utf8Start[i] { return false }
    return true
  }
}

extension String {
  /// Calls `body` with the text's UTF-8.
  @inline(__always)
  package func withUTF8Bytes<T>(_ body: (UnsafeBufferPointer<UInt8>) throws -> T) rethrows -> T {
    if let result = try utf8.withContiguousStorageIfAvailable(body) { return result }
    return try Array(utf8).withUnsafeBufferPointer(body)
  }
}
