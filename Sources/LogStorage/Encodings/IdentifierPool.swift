/// All hexadecimal identifiers, UUIDs and IPv4 addresses of a row group, from every column, packed and stored
/// once.
///
/// Trace ids, span ids and request ids are noise: half their text is redundancy of hexadecimal writing, the rest
/// cannot be compressed. But the same id stands in many rows and in many columns. So each id is
/// packed to bytes and kept once, in order of first use; columns refer to it.
///
/// A column stores one number per value: 0 for "the next new id of mine", or how far back in the
/// pool, counted from that next new one, the id meant stands. The ids that are new in one column lie in one run
/// that starts at the column's *base*, so columns can be read in any order.
///
///     trace_id: aa.. bb.. aa.. cc..    base 0   codes 0 0 2 0    pool: aa bb cc
///     parent:   bb.. dd..              base 3   codes 2 0        pool: aa bb cc dd
///
/// In `parent`, `bb` is 2 back from index 3; `dd` is new and takes index 3. A column of ids that never
/// repeat is all zeros and costs nothing beside its ids.
final class IdentifierPool {
  /// Bytes of one packed id.
  let width: Int
  private(set) var bytes: [UInt8] = []
  private(set) var count = 0
  /// Open addressing: index + 1 of an id, 0 for an empty place.
  private var table: [UInt32]
  private var mask: Int

  init(width: Int) {
    self.width = width
    table = [UInt32](repeating: 0, count: 4_096)
    mask = 4_095
  }

  /// The index of an id, which is added when it is new.
  func intern(_ id: UnsafePointer<UInt8>) -> (index: Int, isNew: Bool) {
    if count * 2 > table.count { grow() }
    var slot = Int(truncatingIfNeeded: shortHash(id, width)) & mask
    while table[slot] != 0 {
      let index = Int(table[slot]) - 1
      let same = bytes.withUnsafeBufferPointer {
        memoryEqual($0.baseAddress! + index * width, id, width)
      }
      if same { return (index, false) }
      slot = (slot + 1) & mask
    }
    table[slot] = UInt32(count + 1)
    bytes.append(contentsOf: UnsafeBufferPointer(start: id, count: width))
    count += 1
    return (count - 1, true)
  }

  private func grow() {
    mask = table.count * 4 - 1
    fillTable()
  }

  /// Forgets the ids that were added last.
  func removeLast(downTo count: Int) {
    guard count < self.count else { return }
    self.count = count
    bytes.removeLast(bytes.count - count * width)
    fillTable()
  }

  private func fillTable() {
    table = [UInt32](repeating: 0, count: mask + 1)
    bytes.withUnsafeBufferPointer { bytes in
      for index in 0..<count {
        var slot =
          Int(truncatingIfNeeded: shortHash(bytes.baseAddress! + index * width, width)) & mask
        while table[slot] != 0 { slot = (slot + 1) & mask }
        table[slot] = UInt32(index + 1)
      }
    }
  }
}

/// How the ids of a column are written; the raw value is part of the format.
enum IdentifierForm: Sendable, Hashable {
  /// Lower-case hexadecimal digits, an even count of them.
  case hexadecimal(byteCount: Int)
  /// Lower-case 8-4-4-4-12.
  case uuid
  /// An IPv4 address, four decimal numbers without leading zeros.
  case address

  /// Bytes of a packed id.
  var width: Int {
    switch self {
    case .hexadecimal(let byteCount): byteCount
    case .uuid: 16
    case .address: 4
    }
  }

  /// 0 for UUIDs, 1 for addresses, else the bytes of the hexadecimal form.
  var code: UInt8 {
    switch self {
    case .hexadecimal(let byteCount): UInt8(byteCount)
    case .uuid: 0
    case .address: 1
    }
  }

  init?(code: UInt8) {
    switch code {
    case 0: self = .uuid
    case 1: self = .address
    case 6...32: self = .hexadecimal(byteCount: Int(code))
    default: return nil
    }
  }

  /// The form that a text could have.
  init?(like text: UnsafePointer<UInt8>, _ count: Int) {
    var id: UInt32 = 0
    if count == 36 {
      self = .uuid
    } else if count >= 7, count <= 15, Self.packAddress(text, count, into: &id) {
      self = .address
    } else if count >= 12, count <= 64, count % 2 == 0 {
      self = .hexadecimal(byteCount: count / 2)
    } else {
      return nil
    }
  }

  /// Packs a text; false when it is not of the form.
  @inline(__always)
  func pack(
    _ text: UnsafePointer<UInt8>, _ count: Int, into id: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    switch self {
    case .hexadecimal(let byteCount):
      return count == 2 &* byteCount && Self.packDigits(text, bytes: byteCount, into: id)
    case .address:
      var value: UInt32 = 0
      guard Self.packAddress(text, count, into: &value) else { return false }
      for i in 0..<4 { id[i] = UInt8(truncatingIfNeeded: value &>> UInt32(24 &- 8 &* i)) }
      return true
    case .uuid:
      guard count == 36, text[8] == 0x2D, text[13] == 0x2D, text[18] == 0x2D, text[23] == 0x2D
      else {
        return false
      }
      return Self.packDigits(text, bytes: 4, into: id)
        && Self.packDigits(text + 9, bytes: 2, into: id + 4)
        && Self.packDigits(text + 14, bytes: 2, into: id + 6)
        && Self.packDigits(text + 19, bytes: 2, into: id + 8)
        && Self.packDigits(text + 24, bytes: 6, into: id + 10)
    }
  }

  @inline(__always)
  private static func packDigits(
    _ text: UnsafePointer<UInt8>, bytes: Int, into id: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    var bad: UInt8 = 0
    for i in 0..<bytes {
      let high = nibble(text[2 &* i])
      let low = nibble(text[2 &* i &+ 1])
      bad |= high | low
      id[i] = high &<< 4 | low & 0x0F
    }
    return bad < 0x80
  }

  /// 0…15, or 0x80 for anything but a lower-case hexadecimal digit.
  @inline(__always)
  private static func nibble(_ byte: UInt8) -> UInt8 {
    let digit = byte &- 0x30
    if digit <= 9 { return digit }
    let letter = byte &- 0x61
    return letter <= 5 ? letter &+ 10 : 0x80
  }

  private static func packAddress(
    _ text: UnsafePointer<UInt8>, _ count: Int, into value: inout UInt32
  ) -> Bool {
    var i = 0
    for part in 0..<4 {
      if part > 0 {
        guard i < count, text[i] == UInt8(ascii: ".") else { return false }
        i &+= 1
      }
      let start = i
      var number: UInt32 = 0
      while i < count, i &- start < 3, text[i] &- 0x30 <= 9 {
        number = number &* 10 &+ UInt32(text[i] &- 0x30)
        i &+= 1
      }
      guard i > start, number <= 255, text[start] != 0x30 || i &- start == 1 else { return false }
      value = value &<< 8 | number
    }
    return i == count
  }

  /// Most bytes of the text of an id.
  var maximalTextLength: Int {
    switch self {
    case .hexadecimal(let byteCount): byteCount * 2
    case .uuid: 36
    case .address: 15
    }
  }

  /// Writes the text of a packed id, at most `maximalTextLength` bytes, and returns its length.
  @inline(__always)
  func write(_ id: UnsafePointer<UInt8>, to text: UnsafeMutablePointer<UInt8>) -> Int {
    switch self {
    case .hexadecimal(let byteCount):
      Self.writeDigits(id, byteCount, to: text)
      return 2 &* byteCount
    case .address:
      return Self.writeAddress(id, to: text)
    case .uuid:
      Self.writeDigits(id, 4, to: text)
      Self.writeDigits(id + 4, 2, to: text + 9)
      Self.writeDigits(id + 6, 2, to: text + 14)
      Self.writeDigits(id + 8, 2, to: text + 19)
      Self.writeDigits(id + 10, 6, to: text + 24)
      text[8] = 0x2D
      text[13] = 0x2D
      text[18] = 0x2D
      text[23] = 0x2D
      return 36
    }
  }

  private static func writeAddress(
    _ id: UnsafePointer<UInt8>, to text: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var end = 0
    for part in 0..<4 {
      if part > 0 {
        text[end] = UInt8(ascii: ".")
        end &+= 1
      }
      let number = id[part]
      if number >= 100 {
        text[end] = 0x30 &+ number / 100
        end &+= 1
      }
      if number >= 10 {
        text[end] = 0x30 &+ number / 10 % 10
        end &+= 1
      }
      text[end] = 0x30 &+ number % 10
      end &+= 1
    }
    return end
  }

  @inline(__always)
  private static func writeDigits(
    _ id: UnsafePointer<UInt8>, _ count: Int, to text: UnsafeMutablePointer<UInt8>
  ) {
    for i in 0..<count {
      let high = id[i] &>> 4
      let low = id[i] & 0x0F
      // 0x30 for digits, 0x57 for letters, without a branch.
      text[2 &* i] = high &+ 0x30 &+ ((high &+ 6) &>> 4) &* 0x27
      text[2 &* i &+ 1] = low &+ 0x30 &+ ((low &+ 6) &>> 4) &* 0x27
    }
  }
}

/// A decoded column of identifiers: indices into the pool's packed ids.
struct IdentifierRun: Sendable {
  let form: IdentifierForm
  let pool: [UInt8]
  let indices: [UInt32]

  func append(_ i: Int, to output: inout [UInt8]) {
    output.append(contentsOf: texts(1) { _ in i }.bytes)
  }

  /// The texts of the values at `count` positions; a negative position gives an empty text.
  func texts(_ count: Int, _ position: (Int) -> Int) -> TextRun {
    let length = form.maximalTextLength
    var offsets: [UInt32] = [0]
    offsets.reserveCapacity(count + 1)
    let bytes = [UInt8](unsafeUninitializedCapacity: count * length) { target, used in
      pool.withUnsafeBufferPointer { pool in
        for i in 0..<count {
          let place = position(i)
          if place >= 0 {
            // The decoder checked every index against the pool's size, and the target has room for
            // `count` texts.
            used &+= form.write(
              pool.baseAddress! + Int(indices[place]) &* form.width, to: target.baseAddress! + used)
          }
          offsets.append(UInt32(truncatingIfNeeded: used))
        }
      }
    }
    return TextRun(offsets: offsets, bytes: bytes)
  }
}

/// The pools of one row group, one for each width.
final class IdentifierPools {
  private(set) var pools: [Int: IdentifierPool] = [:]

  func pool(width: Int) -> IdentifierPool {
    if let known = pools[width] { return known }
    let made = IdentifierPool(width: width)
    pools[width] = made
    return made
  }

  /// The sizes of all pools at one time, to come back to.
  struct Mark {
    fileprivate var counts: [Int: Int]
  }

  func mark() -> Mark { Mark(counts: pools.mapValues(\.count)) }

  /// Bytes of the ids added since.
  func byteCount(since mark: Mark) -> Int {
    pools.reduce(0) { $0 + ($1.value.count - mark.counts[$1.key, default: 0]) * $1.key }
  }

  /// Takes out the ids that were added since.
  func rollBack(to mark: Mark) {
    for (width, pool) in pools { pool.removeLast(downTo: mark.counts[width, default: 0]) }
  }
}
