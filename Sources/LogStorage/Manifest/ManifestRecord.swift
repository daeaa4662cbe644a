/// The frame of one record of a manifest log.
///
/// ```text
/// length u32      bytes of the body
/// check u64       XXH64 of everything after it, seeded with the length
/// generation u64  one more than that of the record before; a snapshot repeats it
/// previous 32 B   SHA-256 of the whole record before: the chain
/// body            a ManifestTransaction
/// ```
struct ManifestRecord: Sendable, Hashable {
  static let headByteCount = 4 + 8 + 8 + 32

  var generation: UInt64
  var previous: [UInt8]
  var body: [UInt8]

  var bytes: [UInt8] {
    var inner = FieldWriter()
    inner.put(generation)
    inner.put(raw: previous)
    inner.put(raw: body)
    var writer = FieldWriter()
    writer.put(UInt32(body.count))
    writer.put(XXH64.hash(inner.bytes, seed: UInt64(body.count)))
    writer.put(raw: inner.bytes)
    return writer.bytes
  }

  /// Bytes of the record with its head.
  var byteCount: Int { Self.headByteCount + body.count }

  /// Reads the record that starts at a position, or returns `nil` when there is no whole one with a
  /// matching check.
  init?(_ bytes: [UInt8], at position: Int) {
    guard bytes.count - position >= Self.headByteCount else { return nil }
    let (length, check) = bytes.withUnsafeBytes {
      (
        Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt32.self))),
        UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: position + 4, as: UInt64.self))
      )
    }
    guard length <= bytes.count - position - Self.headByteCount else { return nil }
    let end = position + Self.headByteCount + length
    let computed = bytes.withUnsafeBytes {
      XXH64.hash(
        UnsafeRawBufferPointer(rebasing: $0[(position + 12)..<end]), seed: UInt64(length))
    }
    guard computed == check else { return nil }
    generation = bytes.withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: position + 12, as: UInt64.self))
    }
    previous = Array(bytes[(position + 20)..<(position + 52)])
    body = Array(bytes[(position + Self.headByteCount)..<end])
  }

  init(generation: UInt64, previous: [UInt8], body: [UInt8]) {
    self.generation = generation
    self.previous = previous
    self.body = body
  }

  /// The position of a whole record after `position`, if there is any: then what lies at `position`
  /// is damage and not the torn end of the last append.
  static func findWhole(in bytes: [UInt8], after position: Int) -> Int? {
    var candidate = position + 1
    while bytes.count - candidate >= headByteCount {
      // The length must fit before anything is hashed, so nearly every position costs one load.
      if ManifestRecord(bytes, at: candidate) != nil { return candidate }
      candidate += 1
    }
    return nil
  }
}

/// The first 16 bytes of a manifest log.
enum ManifestHeader {
  static let magic: [UInt8] = Array("LOGMAN\r\n".utf8)
  static let majorVersion: UInt16 = 1
  static let byteCount = 16

  static var bytes: [UInt8] {
    var writer = FieldWriter()
    writer.put(raw: magic)
    writer.put(majorVersion)
    writer.put(UInt16(0))
    writer.put(check(of: writer.bytes[...]))
    return writer.bytes
  }

  /// What tells a changed bit from another version. Never 0, which logs had before they had checks.
  private static func check(of bytes: ArraySlice<UInt8>) -> UInt32 {
    UInt32(truncatingIfNeeded: XXH64.hash(Array(bytes))) | 1
  }

  /// What is there in place of what this program writes, though it is read all the same; `nil` if nothing.
  static func note(_ header: ArraySlice<UInt8>, name: String) -> String? {
    let isOld = header.suffix(4).allSatisfy { $0 == 0 }
    if header.elementsEqual(isOld ? bytes.dropLast(4) + [0, 0, 0, 0] : bytes[...]) { return nil }
    return "\(name): its header is not the one that this program writes: a later minor version, or "
      + "bytes that nothing depends on have changed"
  }

  /// - Throws: `StorageError`: `damaged`, or `unknownVersion` with both numbers.
  static func check(_ bytes: [UInt8], name: String) throws {
    var reader = FieldReader(bytes, name: name)
    guard try reader.raw(8) == magic else {
      throw StorageError(.damaged, "\(name): no manifest log, or its header is damaged")
    }
    let major = try reader.number(UInt16.self)
    _ = try reader.number(UInt16.self)
    let check = try reader.number(UInt32.self)
    guard check == 0 || check == Self.check(of: bytes[..<12]) else {
      throw StorageError(.damaged, "\(name): the header of the manifest log is damaged")
    }
    guard major == majorVersion else {
      throw StorageError(
        .unknownVersion,
        "\(name): manifest version \(major), this program reads version \(majorVersion)")
    }
  }
}
