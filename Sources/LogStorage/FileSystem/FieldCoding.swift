/// Builds the small records of the store (directory, footer, manifest): little-endian numbers of
/// fixed width, and strings and arrays with their length in front.
struct FieldWriter {
  private(set) var bytes: [UInt8] = []

  /// Appends an integer, little-endian, in as many bytes as its type has.
  mutating func put<Number: FixedWidthInteger>(_ number: Number) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends bytes as they are.
  mutating func put(raw more: [UInt8]) {
    bytes.append(contentsOf: more)
  }

  /// Appends a string: u32 length, UTF-8.
  mutating func put(_ text: String) {
    put(UInt32(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  mutating func put(_ sum: ContentSum) {
    put(sum.low)
    put(sum.high)
  }

  /// Appends stream names with their counts: u32 number, then string and u64 each.
  mutating func put(_ streams: [StreamCount]) {
    put(UInt32(streams.count))
    for stream in streams {
      put(stream.name)
      put(stream.rowCount)
    }
  }
}

/// Reads what `FieldWriter` wrote. Every read checks the bounds: bytes that we did not write, or
/// that a disk has changed, make it throw and never read past the end.
struct FieldReader {
  private let bytes: [UInt8]
  private(set) var position: Int
  private let end: Int
  /// What messages call the bytes.
  private let name: String

  /// - Precondition: `range` lies within `bytes`.
  init(_ bytes: [UInt8], range: Range<Int>? = nil, name: String) {
    self.bytes = bytes
    position = range?.lowerBound ?? 0
    end = range?.upperBound ?? bytes.count
    precondition(position >= 0 && end <= bytes.count, "a reader's range lies within its bytes")
    self.name = name
  }

  var isAtEnd: Bool { position == end }
  var remaining: Int { end - position }

  mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws
    -> Number
  {
    let width = MemoryLayout<Number>.size
    guard remaining >= width else { throw tooShort(width) }
    defer { position += width }
    return bytes.withUnsafeBytes {
      Number(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Number.self))
    }
  }

  mutating func raw(_ count: Int) throws -> [UInt8] {
    guard count >= 0, remaining >= count else { throw tooShort(count) }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  mutating func string() throws -> String {
    let count = Int(try number(UInt32.self))
    guard remaining >= count else { throw tooShort(count) }
    defer { position += count }
    return String(decoding: bytes[position..<position + count], as: UTF8.self)
  }

  mutating func contentSum() throws -> ContentSum {
    ContentSum(low: try number(), high: try number())
  }

  mutating func streams() throws -> [StreamCount] {
    let count = Int(try number(UInt32.self))
    guard count <= remaining / 12 else { throw tooShort(count * 12) }
    var streams: [StreamCount] = []
    streams.reserveCapacity(count)
    for _ in 0..<count {
      streams.append(StreamCount(name: try string(), rowCount: try number()))
    }
    return streams
  }

  private func tooShort(_ needed: Int) -> StorageError {
    StorageError(
      .damaged, "\(name): ends too early: \(needed) bytes wanted at \(position), \(remaining) left")
  }
}
