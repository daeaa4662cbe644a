/// The part of a file that was not loaded yet, by the bookmark of an earlier run.
///
/// A file is known by device and inode, under whatever name, for each log group by itself. The bookmark
/// holds how far it was read and a hash of the bytes before, so a file that was cut, written anew or whose
/// inode was given to another one is noticed and read from its start:
///
///     loaded before        |··········|          4 KiB before the end are hashed
///     now                  |··········|++++++~~  + is loaded, ~ is a line without its end
package struct BookmarkedInput: Sendable {
  /// The bytes to read.
  package var range: Range<UInt64>
  /// What the store knew when the range was chosen.
  package var before: InputBookmark?
  /// What it is to know afterwards.
  package var after: InputBookmark
  /// Bytes at the end of the file that belong to a line without its end.
  package var unfinishedByteCount: UInt64
  /// Why the file is read from its start although it was loaded before.
  package var remark: String?

  private static let checkByteCount: UInt64 = 4096

  /// Chooses what to read.
  ///
  /// - Parameter takesUnfinishedLine: the last line is loaded although it has no line end.
  /// - Throws: `StorageError` when the file cannot be read.
  package init(
    _ path: String, logGroup: String, store: LogStore, takesUnfinishedLine: Bool, now: Int64
  ) throws {
    let fileSystem = store.fileSystem
    guard let status = try fileSystem.status(of: path) else {
      throw StorageError(.missingFile, "\(path): there is no such file")
    }
    let file = try fileSystem.open(path, .read)
    let size = try file.length()
    let key = "\(logGroup):\(status.device):\(status.inode)"
    before = try store.bookmark(key)
    var start: UInt64 = 0
    if let before {
      if size < before.offset {
        remark =
          "\(path): has \(size) bytes, of which \(before.offset) were loaded before: it was cut or "
          + "replaced, and is read from its start"
      } else if try Self.check(file, before: before.offset) != before.check {
        remark =
          "\(path): is not the file that was loaded before under its number, and is read from its start"
      } else {
        start = before.offset
      }
    }
    let isWhole = try takesUnfinishedLine || Self.isCompressed(file, size)
    let end = isWhole ? size : try Self.endOfLines(file, from: start, to: size)
    range = start..<end
    unfinishedByteCount = size - end
    after = InputBookmark(
      key: key, offset: end, updated: now, check: try Self.check(file, before: end))
  }

  private static func check(_ file: any RandomAccessFile, before offset: UInt64) throws -> UInt64 {
    let count = min(offset, checkByteCount)
    return XXH64.hash(try file.read(at: offset - count, count: Int(count)), seed: offset)
  }

  private static func isCompressed(_ file: any RandomAccessFile, _ size: UInt64) throws -> Bool {
    guard size >= 4 else { return false }
    let first = try file.read(at: 0, count: 4)
    return first.starts(with: [0x1F, 0x8B]) || first == [0x28, 0xB5, 0x2F, 0xFD]
  }

  /// The position behind the last line end, found from the back.
  private static func endOfLines(
    _ file: any RandomAccessFile, from start: UInt64, to size: UInt64
  ) throws -> UInt64 {
    var end = size
    while end > start {
      let count = min(end - start, 1 << 16)
      let bytes = try file.read(at: end - count, count: Int(count))
      if let last = bytes.lastIndex(of: 0x0A) { return end - count + UInt64(last) + 1 }
      end -= count
    }
    return start
  }
}
