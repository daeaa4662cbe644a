import CZstd

/// How a stream of bytes is stored. The numbers are part of the format.
package enum Codec: UInt8, Sendable {
  case none = 0
  case zstd = 1
}

/// Levels for what holds little of a store and is read often, or repeats much: worth more effort than the least.
enum CompressionLevel {
  /// Distinct values of dictionaries, and texts that are few.
  static let entries: Int32 = 6
  /// Events that are stored as whole texts and have no templates.
  static let wholeTexts: Int32 = 3
  /// Packs, shapes and tables.
  static let packs: Int32 = 11

  /// Up to this size, in bytes, texts of a column are few.
  static let smallTextByteCount = 512 << 10
}

/// zstd compression with a context and an output buffer that are kept and reused; one per worker,
/// never shared.
///
/// Unchecked: the context is not safe for two threads at once. Whoever keeps several threads in work
/// hands one on through a lock.
package final class Compressor: @unchecked Sendable {
  private let context: OpaquePointer
  /// zstd's level: 1 while ingesting, higher when merging.
  package let level: Int32
  private var scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 8)

  package init(level: Int32 = 1) {
    self.level = level
    guard let context = ZSTD_createCCtx() else {
      preconditionFailure("out of memory while creating a zstd context")
    }
    self.context = context
  }

  deinit {
    ZSTD_freeCCtx(context)
    scratch.deallocate()
  }

  /// The compressed form of `bytes`, or `nil` when it would save less than 3 %. The result is valid
  /// until the next call.
  ///
  /// - Parameter least: a level to use if it is higher than the compressor's own.
  /// - Complexity: about 2 ns a byte at level 1
  package func compress(
    _ bytes: UnsafeRawBufferPointer, atLeast least: Int32 = 0
  ) -> UnsafeRawBufferPointer? {
    if bytes.count < 24 { return nil }
    let bound = ZSTD_compressBound(bytes.count)
    if scratch.count < bound {
      scratch.deallocate()
      scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: bound, alignment: 8)
    }
    let size = ZSTD_compressCCtx(
      context, scratch.baseAddress, scratch.count, bytes.baseAddress, bytes.count,
      max(level, least))
    guard ZSTD_isError(size) == 0, size < bytes.count - bytes.count / 32 else { return nil }
    return UnsafeRawBufferPointer(rebasing: scratch[..<size])
  }
}

extension Compressor {
  /// The size of bytes once they are compressed, or as they are if that saves too little.
  func compressedByteCount(_ bytes: [UInt8], atLeast least: Int32) -> Int {
    bytes.withUnsafeBytes { compress($0, atLeast: least)?.count ?? $0.count }
  }
}

/// zstd decompression with a context that is kept and reused; used by one worker at a time.
///
/// Unchecked: the context is not safe for two threads at once. Whoever takes one from the pool is its
/// only user until it is given back, and the pool's lock orders the hand-over.
package final class Decompressor: @unchecked Sendable {
  private let context: OpaquePointer

  package init() {
    guard let context = ZSTD_createDCtx() else {
      preconditionFailure("out of memory while creating a zstd context")
    }
    self.context = context
  }

  deinit { ZSTD_freeDCtx(context) }

  /// Fills `target` with exactly its size of decompressed bytes.
  package func decompress(
    _ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) throws(DecodingFailure) {
    let size = ZSTD_decompressDCtx(
      context, target.baseAddress, target.count, bytes.baseAddress, bytes.count)
    if ZSTD_isError(size) != 0 {
      throw DecodingFailure("zstd: \(String(cString: ZSTD_getErrorName(size)))")
    }
    guard size == target.count else {
      throw DecodingFailure("zstd gave \(size) bytes where \(target.count) were expected")
    }
  }
}

extension ByteWriter {
  /// Appends a stream: codec, raw length, stored length, bytes; compressed when it pays.
  package mutating func append(
    stream: UnsafeRawBufferPointer, compressor: Compressor?, level: Int32 = 0
  ) {
    if let compressor, let small = compressor.compress(stream, atLeast: level) {
      append(compressedStream: small, rawCount: stream.count)
    } else {
      append(Codec.none.rawValue)
      append(varint: stream.count)
      append(contentsOf: stream)
    }
  }

  /// Appends a stream that is compressed already.
  package mutating func append(compressedStream small: UnsafeRawBufferPointer, rawCount: Int) {
    append(Codec.zstd.rawValue)
    append(varint: rawCount)
    append(varint: small.count)
    append(contentsOf: small)
  }

  /// - Parameter level: a level to use if it is higher than the compressor's own.
  package mutating func append(stream: [UInt8], compressor: Compressor?, level: Int32 = 0) {
    stream.withUnsafeBytes { append(stream: $0, compressor: compressor, level: level) }
  }
}

extension ByteReader {
  /// The bytes of a stream, decompressed, followed by `padding` zeros.
  ///
  /// - Parameter limit: the most raw bytes that can be right here; more is damage.
  package mutating func stream(
    limit: Int, padding: Int = 0, decompressor: Decompressor
  ) throws(DecodingFailure) -> [UInt8] {
    let number = try byte()
    guard let codec = Codec(rawValue: number) else {
      throw DecodingFailure("codec \(number) is not known to this version")
    }
    let rawCount = try count(limit: limit)
    switch codec {
    case .none:
      let stored = try take(rawCount)
      var result: [UInt8] = []
      result.reserveCapacity(rawCount + padding)
      result.append(contentsOf: stored)
      for _ in 0..<padding { result.append(0) }
      return result
    case .zstd:
      let stored = try take(try count(limit: remaining))
      var failure: DecodingFailure?
      let result = [UInt8](unsafeUninitializedCapacity: rawCount + padding) { target, count in
        // The whole capacity is initialised here, so `count` never covers unset memory.
        let raw = UnsafeMutableRawBufferPointer(target)
        do throws(DecodingFailure) {
          try decompressor.decompress(
            stored, into: UnsafeMutableRawBufferPointer(rebasing: raw[..<rawCount]))
        } catch {
          failure = error
          raw.initializeMemory(as: UInt8.self, repeating: 0)
        }
        for i in rawCount..<rawCount + padding { target[i] = 0 }
        count = rawCount + padding
      }
      if let failure { throw failure }
      return result
    }
  }
}
