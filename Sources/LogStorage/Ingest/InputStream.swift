import CZlib
import CZstd
import Glibc

/// The bytes of one input, decompressed: a file, standard input, or memory.
///
/// gzip and zstd are known by their first bytes, whatever the name says; several members or frames in a
/// row are one stream. One owner.
package final class InputStream {
  /// Where bytes come from.
  package enum Origin: Sendable {
    case file(String)
    case standardInput
    case memory([UInt8], name: String)

    /// What messages call it.
    var name: String {
      switch self {
      case .file(let path): "'\(path)'"
      case .standardInput: "standard input"
      case .memory(_, let name): "'\(name)'"
      }
    }

    /// Whether its bytes are there a second time: not those of standard input or a pipe.
    var isReadableAgain: Bool {
      switch self {
      case .memory: return true
      case .standardInput: return false
      case .file(let path):
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      }
    }
  }

  /// The size of a file as it is stored; `nil` if there is no such file.
  static func byteCount(ofFile path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : nil
  }

  private enum Form {
    case undecided, plain
    case gzip(UnsafeMutablePointer<z_stream>)
    case zstd(OpaquePointer)
  }

  /// What messages call the input.
  package let name: String
  /// Bytes taken from the origin so far, as stored.
  package private(set) var bytesConsumed: UInt64 = 0
  /// Bytes of the origin when they are known before reading.
  package let totalByteCount: UInt64?
  private let descriptor: Int32
  /// Bytes of the chosen range that were not read yet; `nil` reads to the end.
  private var rangeLeft: UInt64?
  private let memory: [UInt8]
  private var form = Form.undecided
  /// Stored bytes that wait to be decompressed: `stored[storedStart..<storedEnd]`.
  private var stored = [UInt8](repeating: 0, count: 1 << 18)
  private var storedStart = 0
  private var storedEnd = 0
  private var atOriginEnd = false
  /// A gzip member or zstd frame has begun and not ended.
  private var insideMember = false
  /// The last output filled its target, so the decompressor may hold more of it.
  private var mayHoldOutput = false

  /// - Throws: `StorageError` (`inputOutput`) when the file cannot be opened or is a directory.
  package init(_ origin: Origin) throws {
    switch origin {
    case .file(let path):
      name = path
      memory = []
      descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else {
        throw StorageError(.inputOutput, "\(path): cannot be opened: \(Self.reason(errno))")
      }
      var status = stat()
      guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
        close(descriptor)
        throw StorageError(
          .inputOutput, "\(path): is a directory; name the files in it, for example \(path)/*.log")
      }
      totalByteCount = status.st_mode & S_IFMT == S_IFREG ? UInt64(status.st_size) : nil
    case .standardInput:
      name = "standard input"
      memory = []
      descriptor = STDIN_FILENO
      totalByteCount = nil
    case .memory(let bytes, let name):
      self.name = name
      memory = bytes
      descriptor = -1
      totalByteCount = UInt64(bytes.count)
    }
  }

  /// Only some bytes of a file.
  ///
  /// - Throws: `StorageError` (`inputOutput`).
  convenience init(_ origin: Origin, range: Range<UInt64>) throws {
    try self.init(origin)
    guard lseek(descriptor, Int(range.lowerBound), SEEK_SET) >= 0 else {
      throw StorageError(
        .inputOutput, "\(name): cannot be read from byte \(range.lowerBound): \(Self.reason(errno))"
      )
    }
    rangeLeft = UInt64(range.count)
  }

  deinit {
    switch form {
    case .gzip(let stream):
      inflateEnd(stream)
      stream.deallocate()
    case .zstd(let context): ZSTD_freeDStream(context)
    case .undecided, .plain: break
    }
    if descriptor > STDIN_FILENO { close(descriptor) }
  }

  private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

  /// Reads up to the size of `target`; 0 at the end.
  ///
  /// - Throws: `StorageError`: `inputOutput`, or `invalidInput` with the stored offset when compressed
  ///   data are damaged or end too early.
  package func read(into target: UnsafeMutableRawBufferPointer) throws -> Int {
    if case .undecided = form { try decide() }
    switch form {
    case .undecided, .plain: return try readPlain(into: target)
    case .gzip(let stream): return try inflate(stream, into: target)
    case .zstd(let context): return try decompress(context, into: target)
    }
  }

  /// Whether `read` would return within so many milliseconds (data, or the end).
  package func isReady(within milliseconds: Int32) -> Bool {
    if storedStart < storedEnd || mayHoldOutput || atOriginEnd || descriptor < 0 { return true }
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, milliseconds) != 0
  }

  // MARK: Origin

  private func readOrigin(into target: UnsafeMutableRawBufferPointer) throws -> Int {
    if descriptor < 0 {
      let count = min(target.count, memory.count - Int(bytesConsumed))
      memory.withUnsafeBytes {
        target.copyMemory(
          from: UnsafeRawBufferPointer(
            rebasing: $0[Int(bytesConsumed)..<Int(bytesConsumed) + count]))
      }
      bytesConsumed += UInt64(count)
      return count
    }
    let wanted = Int(min(UInt64(target.count), rangeLeft ?? .max))
    while true {
      let count = Glibc.read(descriptor, target.baseAddress, wanted)
      if count >= 0 {
        if let left = rangeLeft { rangeLeft = left - UInt64(count) }
        bytesConsumed += UInt64(count)
        return count
      }
      if errno != EINTR {
        throw StorageError(
          .inputOutput, "\(name): cannot be read at byte \(bytesConsumed): \(Self.reason(errno))")
      }
    }
  }

  /// Fetches more stored bytes; false at the end of the origin.
  private func refill() throws -> Bool {
    guard !atOriginEnd else { return false }
    if storedStart > 0 {
      stored.replaceSubrange(
        0..<storedEnd - storedStart, with: Array(stored[storedStart..<storedEnd]))
      storedEnd -= storedStart
      storedStart = 0
    }
    let count = try stored.withUnsafeMutableBytes {
      try readOrigin(into: UnsafeMutableRawBufferPointer(rebasing: $0[storedEnd...]))
    }
    storedEnd += count
    atOriginEnd = count == 0
    return count > 0
  }

  /// Looks at the first four bytes.
  private func decide() throws {
    while storedEnd < 4, try refill() {}
    if storedEnd >= 2, stored[0] == 0x1F, stored[1] == 0x8B {
      let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      stream.initialize(to: z_stream())
      // 15 bits of window, plus 16: gzip framing only.
      inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      form = .gzip(stream)
    } else if storedEnd >= 4, Array(stored[0..<4]) == [0x28, 0xB5, 0x2F, 0xFD] {
      guard let context = ZSTD_createDStream() else {
        throw StorageError(.inputOutput, "\(name): out of memory for decompression")
      }
      // Files made with --long have windows up to 2 GiB; beyond 128 MiB zstd wants to be told.
      ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 31)
      form = .zstd(context)
    } else {
      form = .plain
    }
  }

  // MARK: Forms

  private func readPlain(into target: UnsafeMutableRawBufferPointer) throws -> Int {
    if storedStart < storedEnd {
      let count = min(target.count, storedEnd - storedStart)
      stored.withUnsafeBytes {
        target.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: $0[storedStart..<storedStart + count]))
      }
      storedStart += count
      return count
    }
    return atOriginEnd ? 0 : try readOrigin(into: target)
  }

  private func inflate(
    _ stream: UnsafeMutablePointer<z_stream>, into target: UnsafeMutableRawBufferPointer
  ) throws -> Int {
    while true {
      if storedStart == storedEnd, !mayHoldOutput, try !refill() {
        if insideMember { throw endsTooEarly("gzip") }
        return 0
      }
      if !insideMember {
        guard try beginGzipMember(stream) else { return 0 }
      }
      let produced: Int = try stored.withUnsafeMutableBytes { stored in
        let available = storedEnd - storedStart
        stream.pointee.next_in =
          stored.baseAddress!.assumingMemoryBound(to: UInt8.self) + storedStart
        stream.pointee.avail_in = UInt32(available)
        stream.pointee.next_out = target.baseAddress!.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(clamping: target.count)
        let room = Int(stream.pointee.avail_out)
        let status = CZlib.inflate(stream, Z_NO_FLUSH)
        storedStart += available - Int(stream.pointee.avail_in)
        if status == Z_STREAM_END {
          insideMember = false
        } else if status != Z_OK, status != Z_BUF_ERROR {
          throw damaged("gzip", stream.pointee.msg.map { String(cString: $0) } ?? "code \(status)")
        }
        mayHoldOutput = insideMember && stream.pointee.avail_out == 0
        return room - Int(stream.pointee.avail_out)
      }
      if produced > 0 { return produced }
    }
  }

  /// Prepares for the next member; false when only padding is left.
  private func beginGzipMember(_ stream: UnsafeMutablePointer<z_stream>) throws -> Bool {
    while storedEnd - storedStart < 2, try refill() {}
    if storedEnd - storedStart < 2 || stored[storedStart] == 0 {
      // tar and tape tools pad archives with zeros.
      let rest = stored[storedStart..<storedEnd]
      guard rest.allSatisfy({ $0 == 0 }) else { throw damaged("gzip", "no header after a member") }
      storedStart = storedEnd
      return try refill() ? beginGzipMember(stream) : false
    }
    inflateReset(stream)
    insideMember = true
    return true
  }

  private func decompress(
    _ context: OpaquePointer, into target: UnsafeMutableRawBufferPointer
  ) throws -> Int {
    while true {
      if storedStart == storedEnd, !mayHoldOutput, try !refill() {
        if insideMember { throw endsTooEarly("zstd") }
        return 0
      }
      let produced: Int = try stored.withUnsafeBytes { stored in
        var input = ZSTD_inBuffer(
          src: stored.baseAddress! + storedStart, size: storedEnd - storedStart, pos: 0)
        var output = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
        let status = ZSTD_decompressStream(context, &output, &input)
        guard ZSTD_isError(status) == 0 else {
          throw damaged("zstd", String(cString: ZSTD_getErrorName(status)))
        }
        storedStart += input.pos
        insideMember = status != 0
        mayHoldOutput = insideMember && output.pos == output.size
        return output.pos
      }
      if produced > 0 { return produced }
    }
  }

  private func damaged(_ form: String, _ what: String) -> StorageError {
    let offset = bytesConsumed - UInt64(storedEnd - storedStart)
    return StorageError(
      .invalidInput,
      "\(name): damaged \(form) data near byte \(offset): \(what); the events before it were read")
  }

  private func endsTooEarly(_ form: String) -> StorageError {
    StorageError(
      .invalidInput,
      "\(name): the \(form) data end too early, at byte \(bytesConsumed): the file is truncated; "
        + "the events before were read")
  }
}
