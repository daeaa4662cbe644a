/// Which kinds of bytes occur in the values of a column; kept beside each column of variables, so that a search knows
/// what cannot be in it. The bits are part of the format.
struct Alphabet: OptionSet, Sendable {
  let rawValue: UInt8

  static let digits = Alphabet(rawValue: 1)
  /// `a` to `f`.
  static let lowerHexadecimal = Alphabet(rawValue: 2)
  /// `g` to `z`.
  static let lowerLetters = Alphabet(rawValue: 4)
  static let upperLetters = Alphabet(rawValue: 8)
  /// `.` and `-`.
  static let marks = Alphabet(rawValue: 16)
  /// Everything else.
  static let others = Alphabet(rawValue: 32)

  /// The kind of a byte.
  @inline(__always)
  init(of byte: UInt8) {
    switch byte {
    case 0x30...0x39: self = .digits
    case 0x61...0x66: self = .lowerHexadecimal
    case 0x67...0x7A: self = .lowerLetters
    case 0x41...0x5A: self = .upperLetters
    case 0x2D, 0x2E: self = .marks
    default: self = .others
    }
  }

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The kinds of all bytes of a column's values.
  init(of column: SlotColumn) {
    var bits: UInt8 = 0
    for i in 0..<column.count {
      for byte in column.bytes(i) { bits |= Alphabet(of: byte).rawValue }
    }
    rawValue = bits
  }

  @inline(__always)
  func mayHold(_ byte: UInt8) -> Bool { contains(Alphabet(of: byte)) }
}
