import Columnar

// Texts are made in memory of their own: reserved once for the most bytes that a column can need, written without
// a check per byte, and freed with the column. Behind the last byte lies some slack, so that short copies may read and write
// whole words of sixteen bytes: a piece of seven bytes is one load and one store, where a call of `memcpy` would
// cost five times as much. Whoever writes front to back overwrites what such a copy spilled.

/// Texts end to end, in memory that stays in place.
final class TextMemory {
  /// Bytes that may be read and written behind the last one.
  static let slack = 32

  let bytes: UnsafeMutablePointer<UInt8>
  /// Where each text starts, and the end of the last.
  let offsets: UnsafeMutablePointer<UInt32>
  let byteCapacity: Int
  let count: Int

  /// - Parameters:
  ///   - byteCapacity: bytes of all texts at most.
  ///   - count: how many texts there will be.
  init(byteCapacity: Int, count: Int) {
    self.byteCapacity = byteCapacity
    self.count = count
    bytes = .allocate(capacity: byteCapacity + Self.slack)
    offsets = .allocate(capacity: count + 1)
    offsets[0] = 0
  }

  deinit {
    bytes.deallocate()
    offsets.deallocate()
  }

  /// Bytes of all texts.
  var byteCount: Int { Int(offsets[count]) }

  /// A copy of texts that exist.
  convenience init(_ run: TextRun) {
    self.init(byteCapacity: run.bytes.count, count: run.count)
    run.bytes.withUnsafeBufferPointer {
      if let base = $0.baseAddress { bytes.update(from: base, count: $0.count) }
    }
    run.offsets.withUnsafeBufferPointer { offsets.update(from: $0.baseAddress!, count: $0.count) }
  }

  /// A copy of some of the texts of a run, in memory for exactly so many bytes.
  convenience init(_ run: TextRun, at positions: [Int]) {
    let total = positions.reduce(0) { $0 + run.range($1).count }
    self.init(byteCapacity: total, count: positions.count)
    run.bytes.withUnsafeBufferPointer { source in
      var end = 0
      for (i, position) in positions.enumerated() {
        let range = run.range(position)
        if let base = source.baseAddress, !range.isEmpty {
          UnsafeMutableRawPointer(bytes + end).copyMemory(
            from: base + range.lowerBound, byteCount: range.count)
        }
        end += range.count
        offsets[i + 1] = UInt32(truncatingIfNeeded: end)
      }
    }
  }

  /// Texts of at most `most` bytes each.
  ///
  /// - Parameter write: writes text `i`, at most `most` bytes, and gives its length; up to `slack` bytes behind
  ///   them may be spoiled.
  @inline(__always)
  static func rendered(
    _ count: Int, most: Int, _ write: (Int, UnsafeMutablePointer<UInt8>) -> Int
  ) -> TextMemory {
    let memory = TextMemory(byteCapacity: count * most, count: count)
    let (bytes, offsets) = (memory.bytes, memory.offsets)
    var end = 0
    for i in 0..<count {
      end &+= write(i, bytes + end)
      offsets[i &+ 1] = UInt32(truncatingIfNeeded: end)
    }
    return memory
  }
}

/// Copies `count` bytes front to back; up to `TextMemory.slack` bytes behind source and target are read and spoiled.
@inline(__always)
func copyShort(
  from source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, count: Int
) {
  let (from, to) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(target))
  // Most are shorter than 32 bytes, but who knows which are shorter than 16: a branch that is often guessed wrong
  // takes longer than the second half.
  let low = from.loadUnaligned(as: SIMD16<UInt8>.self)
  let high = from.loadUnaligned(fromByteOffset: 16, as: SIMD16<UInt8>.self)
  to.storeBytes(of: low, as: SIMD16<UInt8>.self)
  to.storeBytes(of: high, toByteOffset: 16, as: SIMD16<UInt8>.self)
  if count <= 32 { return }
  if count > 160 { return to.copyMemory(from: from, byteCount: count) }
  var position = 32
  while position < count {
    to.storeBytes(
      of: from.loadUnaligned(fromByteOffset: position, as: SIMD16<UInt8>.self),
      toByteOffset: position, as: SIMD16<UInt8>.self)
    position &+= 16
  }
}

/// Numbers as text, two digits a step.
enum DigitWriter {
  /// `00` to `99`, two bytes each.
  private static let pairs: StaticString = """
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
    """

  /// Most bytes of a number: a sign, twenty digits and a point.
  static let mostBytes = 24

  /// Writes a number below 100 with two digits.
  @inline(__always)
  static func writePair(_ number: UInt64, to target: UnsafeMutablePointer<UInt8>) {
    let source = UnsafeRawPointer(pairs.utf8Start + Int(truncatingIfNeeded: number &* 2))
    UnsafeMutableRawPointer(target).storeBytes(
      of: source.loadUnaligned(as: UInt16.self), as: UInt16.self)
  }

  @inline(__always)
  static func digitCount(_ number: UInt64) -> Int {
    var rest = number
    var count = 1
    while true {
      if rest < 10 { return count }
      if rest < 100 { return count &+ 1 }
      if rest < 1_000 { return count &+ 2 }
      if rest < 10_000 { return count &+ 3 }
      rest /= 10_000
      count &+= 4
    }
  }

  /// Writes the lowest `count` digits of a number, with leading zeros, and gives what is left of it.
  @inline(__always)
  static func write(
    _ number: UInt64, digits count: Int, to target: UnsafeMutablePointer<UInt8>
  ) -> UInt64 {
    var rest = number
    var position = count
    while position >= 2 {
      let quotient = rest / 100
      position &-= 2
      writePair(rest &- quotient &* 100, to: target + position)
      rest = quotient
    }
    if position == 1 {
      let quotient = rest / 10
      target[0] = 0x30 &+ UInt8(truncatingIfNeeded: rest &- quotient &* 10)
      rest = quotient
    }
    return rest
  }

  /// Writes the canonical text of a whole number and gives its length.
  @inline(__always)
  static func write(_ number: Int64, to target: UnsafeMutablePointer<UInt8>) -> Int {
    var start = 0
    if number < 0 {
      target[0] = 0x2D
      start = 1
    }
    let count = digitCount(number.magnitude)
    _ = write(number.magnitude, digits: count, to: target + start)
    return start &+ count
  }

  /// Writes `mantissa / 10^scale` with exactly `scale` decimals and gives the length.
  @inline(__always)
  static func write(
    mantissa: Int64, scale: Int, to target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    if scale == 0 { return write(mantissa, to: target) }
    var start = 0
    if mantissa < 0 {
      target[0] = 0x2D
      start = 1
    }
    let whole = max(1, digitCount(mantissa.magnitude) &- scale)
    let rest = write(
      mantissa.magnitude, digits: scale, to: target + (start &+ whole &+ 1))
    target[start &+ whole] = 0x2E
    _ = write(rest, digits: whole, to: target + start)
    return start &+ whole &+ 1 &+ scale
  }
}

/// Writes texts of times one after the other. Neighbours mostly lie in the same minute: then all but the seconds
/// is copied from the one before.
struct TimestampWriter {
  /// Most bytes of a text: a time to the nanosecond and six bytes of a zone.
  static let mostBytes = 40

  private let run: TimestampTextRun
  private var minute = Int64.min
  private var form = -1
  /// `2026-03-02T10:00:` of that minute and form, and the zone from byte 32.
  private let prefix: UnsafeMutablePointer<UInt8>

  /// - Parameter prefix: 64 bytes for its own use.
  init(_ run: TimestampTextRun, prefix: UnsafeMutablePointer<UInt8>) {
    self.run = run
    self.prefix = prefix
    prefix.update(repeating: 0, count: 64)
  }

  /// Writes the text of value `i` and gives its length.
  @inline(__always)
  mutating func write(_ i: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
    let form = run.formOf.isEmpty ? 0 : Int(run.formOf[i])
    let digits = Int(run.forms[form].fractionDigits)
    let unit = TimestampTextRun.powersOfTen[digits]
    let seconds = floorDivide(run.ticks[i], unit)
    let fraction = run.ticks[i] &- seconds &* unit
    let minute = floorDivide(seconds, 60)
    if minute != self.minute || form != self.form { begin(minute, form) }
    copyShort(from: prefix, to: target, count: 17)
    DigitWriter.writePair(UInt64(bitPattern: seconds &- minute &* 60), to: target + 17)
    var end = 19
    if digits > 0 {
      target[19] = run.forms[form].fractionMark
      _ = DigitWriter.write(UInt64(bitPattern: fraction), digits: digits, to: target + 20)
      end = 20 &+ digits
    }
    copyShort(from: prefix + 32, to: target + end, count: 6)
    return end &+ run.forms[form].zone.count
  }

  @inline(never)
  private mutating func begin(_ minute: Int64, _ form: Int) {
    if minute != self.minute { beginMinute(minute) }
    self.form = form
    prefix[10] = run.forms[form].separator
    for (k, byte) in run.forms[form].zone.enumerated() { prefix[32 + k] = byte }
  }

  private mutating func beginMinute(_ minute: Int64) {
    self.minute = minute
    let hours = floorDivide(minute, 60)
    let days = floorDivide(hours, 24)
    let (year, month, day) = CivilTime.date(daysSince1970: Int(days))
    func pair(_ number: Int, at place: Int) {
      DigitWriter.writePair(UInt64(number), to: prefix + place)
    }
    let shownYear = (year % 10_000 + 10_000) % 10_000
    pair(shownYear / 100, at: 0)
    pair(shownYear % 100, at: 2)
    pair(month, at: 5)
    pair(day, at: 8)
    pair(Int(hours - days * 24), at: 11)
    pair(Int(minute - hours * 60), at: 14)
    for place in [4, 7] { prefix[place] = 0x2D }
    for place in [13, 16] { prefix[place] = 0x3A }
  }
}
