/// A decimal number as its digits: ± 0.d₁d₂… × 10^exponent, without zeros at either end.
///
/// `1.50` and `15e-1` both are digits 15, exponent 1; zero has no digits and no sign. Two texts
/// stand for the same number exactly when their digits are equal, however long they are.
struct DecimalDigits {
  private var isNegative: Bool
  /// ASCII, the first and the last not `0`; empty for zero.
  private var digits: [UInt8]
  private var exponent: Int

  /// Takes the shortest digits that give the number back.
  ///
  /// - Precondition: `number` is finite.
  init(_ number: Double) {
    precondition(number.isFinite, "only finite numbers have digits")
    let text = number.description
    self = text.withUTF8Bytes { DecimalDigits(lexeme: $0) }
  }

  /// - Parameter lexeme: A number in text, as ``NumberText`` accepts it.
  init(lexeme: UnsafeBufferPointer<UInt8>) {
    isNegative = lexeme.first == UInt8(ascii: "-")
    digits = []
    digits.reserveCapacity(lexeme.count)
    exponent = 0
    var hasPoint = false
    var position = 0
    scan: while position < lexeme.count {
      let byte = lexeme[position]
      position += 1
      switch byte {
      case UInt8(ascii: "."): hasPoint = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"): break scan
      case UInt8(ascii: "0") where digits.isEmpty: if hasPoint { exponent -= 1 }
      case 0x30...0x39:
        digits.append(byte)
        if !hasPoint { exponent += 1 }
      default: break
      }
    }
    exponent += Self.power(lexeme[position...])
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    if digits.isEmpty { (isNegative, exponent) = (false, 0) }
  }

  /// What follows the `e`, held within ± 10^15.
  private static func power(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
    var value = 0
    for byte in text where byte &- 0x30 < 10 {
      if value < 100_000_000_000_000 { value = value * 10 + Int(byte &- 0x30) }
    }
    return text.first == UInt8(ascii: "-") ? -value : value
  }

  // MARK: Rounding

  /// Rounds half to even to so many digits behind the point.
  mutating func round(decimals: Int) { keep(exponent + decimals) }

  /// Rounds half to even to so many digits.
  mutating func round(significant: Int) { keep(significant) }

  private mutating func keep(_ count: Int) {
    guard count < digits.count else { return }
    guard count >= 0 else {
      self = DecimalDigits(0)
      return
    }
    let next = digits[count]
    let isOdd = count > 0 && digits[count - 1] & 1 == 1
    let isAbove = next > 0x35 || (next == 0x35 && (digits.count > count + 1 || isOdd))
    digits.removeSubrange(count...)
    if isAbove { increment() }
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    if digits.isEmpty { (isNegative, exponent) = (false, 0) }
  }

  /// Adds one to the last digit.
  private mutating func increment() {
    while digits.last == UInt8(ascii: "9") { digits.removeLast() }
    if let last = digits.indices.last {
      digits[last] += 1
    } else {
      digits = [UInt8(ascii: "1")]
      exponent += 1
    }
  }

  // MARK: Printing

  /// Appends the number in plain notation; from 10^21 on, and below 10^-400, with an exponent.
  func append(to output: inout [UInt8]) {
    if digits.isEmpty {
      output.append(UInt8(ascii: "0"))
      return
    }
    if isNegative { output.append(UInt8(ascii: "-")) }
    if exponent > 21 || exponent < -400 {
      appendScientific(to: &output)
    } else if exponent <= 0 {
      output.append(contentsOf: [UInt8(ascii: "0"), UInt8(ascii: ".")])
      output.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: -exponent))
      output.append(contentsOf: digits)
    } else if exponent >= digits.count {
      output.append(contentsOf: digits)
      output.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: exponent - digits.count))
    } else {
      output.append(contentsOf: digits[..<exponent])
      output.append(UInt8(ascii: "."))
      output.append(contentsOf: digits[exponent...])
    }
  }

  private func appendScientific(to output: inout [UInt8]) {
    output.append(digits[0])
    if digits.count > 1 {
      output.append(UInt8(ascii: "."))
      output.append(contentsOf: digits[1...])
    }
    output.append(contentsOf: exponent > 0 ? "e+".utf8 : "e-".utf8)
    NumberFormat.append(Int64((exponent - 1).magnitude), to: &output)
  }
}
