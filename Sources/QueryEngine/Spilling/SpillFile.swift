import LogStorage
import Synchronization

// One temporary file: blocks one behind the other, each a run of bytes compressed as it is written.
// What a block holds is its writer's business; where it lies is kept in memory, so the file itself
// needs no directory.
//
//     block = codec · raw length · [stored length] · bytes · XXH64 of all before
//
// Small blocks are put together before they are written. A block can be read at any time, by anyone
// who knows it, also while others are still written.

/// Where a block lies in its file.
struct SpillBlock: Sendable {
  fileprivate let offset: Int
  fileprivate let storedCount: Int
  /// Bytes that the block has in memory.
  let rawCount: Int
}

/// A nameless file of blocks.
final class SpillFile: Sendable {
  /// Bytes written between two looks at the room that is left.
  private static let byteCountBetweenChecks = 16 << 20
  /// The longest block; more is damage.
  private static let longestBlock = 1 << 32

  private struct State {
    var buffer = ByteWriter()
    /// Bytes in the file, the buffer not counted.
    var fileCount = 0
    var unchecked = 0
    let compressor = Compressor()
    let decompressor = Decompressor()
  }

  private let file: any RandomAccessFile
  private let folder: String
  private let user: String
  private let space: SpillSpace
  private let state = Mutex(State())

  init(_ file: any RandomAccessFile, folder: String, user: String, space: SpillSpace) {
    self.file = file
    self.folder = folder
    self.user = user
    self.space = space
  }

  /// Adds a block.
  ///
  /// - Throws: ``QueryFailure/storage(_:)`` when it cannot be written, or what ends the query.
  func append(_ bytes: [UInt8]) throws(QueryFailure) -> SpillBlock {
    try space.check()
    let result = state.withLock { state -> Result<SpillBlock, any Error> in
      Result {
        let start = state.buffer.count
        state.buffer.append(stream: bytes, compressor: state.compressor)
        let sum = state.buffer.bytes.withUnsafeBytes {
          XXH64.hash(UnsafeRawBufferPointer(rebasing: $0[start...]))
        }
        state.buffer.append(fixed: sum)
        let block = SpillBlock(
          offset: state.fileCount + start, storedCount: state.buffer.count - start,
          rawCount: bytes.count)
        if state.buffer.count >= space.bufferByteCount { try write(&state) }
        return block
      }
    }
    return try got(result, "written")
  }

  private func write(_ state: inout State) throws {
    state.unchecked += state.buffer.count
    if state.unchecked >= Self.byteCountBetweenChecks {
      state.unchecked = 0
      try space.checkRoom(in: folder)
    }
    try file.append(state.buffer.bytes)
    state.fileCount += state.buffer.count
    space.add(state.buffer.count)
    state.buffer = ByteWriter(capacity: space.bufferByteCount)
  }

  /// The bytes of a block.
  func read(_ block: SpillBlock) throws(QueryFailure) -> [UInt8] {
    try space.check()
    let result = state.withLock { state -> Result<[UInt8], any Error> in
      Result {
        let inBuffer = block.offset - state.fileCount
        if inBuffer >= 0 {
          return try Self.content(
            Array(state.buffer.bytes[inBuffer..<inBuffer + block.storedCount]), state.decompressor)
        }
        return try Self.content(
          file.read(at: UInt64(block.offset), count: block.storedCount), state.decompressor)
      }
    }
    return try got(result, "read")
  }

  private static func content(_ stored: [UInt8], _ decompressor: Decompressor) throws -> [UInt8] {
    try stored.withUnsafeBytes { bytes in
      guard bytes.count > 8 else { throw DecodingFailure("a block is too short") }
      let end = bytes.count - 8
      var tail = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[end...]))
      let body = UnsafeRawBufferPointer(rebasing: bytes[..<end])
      guard try tail.fixed(UInt64.self) == XXH64.hash(body) else {
        throw DecodingFailure("a block is not what was written")
      }
      var reader = ByteReader(body)
      return try reader.stream(limit: longestBlock, decompressor: decompressor)
    }
  }

  /// The value, or the failure of the query that an error of the file is.
  private func got<T>(_ result: Result<T, any Error>, _ done: String) throws(QueryFailure) -> T {
    switch result {
    case .success(let value): return value
    case .failure(let error): throw failure(error, done)
    }
  }

  /// The failure that an unreadable content of this file is.
  func failure(_ error: any Error, _ done: String = "read") -> QueryFailure {
    if let failure = error as? QueryFailure { return failure }
    let cause = error as? StorageError
    let reason = cause?.message ?? (error as? DecodingFailure)?.reason ?? "\(error)"
    // Not `damaged`: that would be a part of the events, which an answer may leave out.
    let isFull = cause?.code == .diskFull
    return .storage(
      StorageError(
        isFull ? .diskFull : .inputOutput,
        "\(user) needs more memory than this query may use, and its temporary file cannot be "
          + "\(done): \(reason); "
          + (isFull
            ? "\(space.byteCount >> 20) MiB were written; free some space, set TMPDIR to a folder "
              + "with more room, or allow more memory with --memory"
            : "set TMPDIR to another folder, or allow more memory with --memory")))
  }
}
