import LogStorage
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

// Room on disk for what a query may not hold in memory. A file of it has no name: it is removed from
// its folder as soon as it is open, so that whatever ends the process, the system takes it back.
//
// The folders are tried in turn: the `tmp` of the store that is read, which lies on a disk made for
// large data; `TMPDIR`; `/var/tmp`, which is a disk where `/tmp` may be memory.

/// Where the operators of one query put what memory has no room for.
final class SpillSpace: Sendable {
  /// Bytes that are left free on the disk, so that a query takes nobody the last room to write.
  static let keptFreeByteCount: UInt64 = 64 << 20

  private let folders: [String]
  private let fileSystem: any FileSystem
  private let mayGoOn: @Sendable () throws(QueryFailure) -> Void
  private let written = Atomic<Int>(0)
  /// Bytes put together before they are written.
  let bufferByteCount: Int

  /// - Parameter mayGoOn: throws when the query is to end; asked at every block.
  init(
    folders: [String], fileSystem: any FileSystem, bufferByteCount: Int = 256 << 10,
    mayGoOn: @escaping @Sendable () throws(QueryFailure) -> Void = {}
  ) {
    self.folders = folders
    self.fileSystem = fileSystem
    self.bufferByteCount = bufferByteCount
    self.mayGoOn = mayGoOn
  }

  /// Bytes written so far.
  var byteCount: Int { written.load(ordering: .relaxed) }

  /// A new file.
  ///
  /// - Parameter user: the operator that needs it, named when there is no room.
  /// - Throws: ``QueryFailure/storage(_:)`` when no folder takes a file.
  func makeFile(for user: String) throws(QueryFailure) -> SpillFile {
    var last: StorageError?
    for folder in folders {
      do {
        let path = "\(folder)/query-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let file = try fileSystem.open(path, .createExclusive)
        try fileSystem.unlink(path)
        return SpillFile(file, folder: folder, user: user, space: self)
      } catch {
        last = error as? StorageError
      }
    }
    throw .storage(
      StorageError(
        last?.code ?? .inputOutput,
        "\(user) needs more memory than this query may use, and a temporary file cannot be made: "
          + "\(last?.message ?? "there is no folder for one"); set TMPDIR to a folder with room, "
          + "or allow more memory with --memory"))
  }

  /// Throws when the query is to end.
  func check() throws(QueryFailure) { try mayGoOn() }

  /// Counts bytes that were written.
  func add(_ byteCount: Int) { written.add(byteCount, ordering: .relaxed) }

  /// Throws when little is left on the disk of a folder.
  func checkRoom(in folder: String) throws {
    guard let free = try? fileSystem.freeSpace(at: folder), free < Self.keptFreeByteCount else {
      return
    }
    throw StorageError(
      .diskFull, "\(folder): \(free >> 20) MiB are free, of which some are kept for others")
  }
}

extension QueryOptions {
  /// The folders for temporary files where the source of events has none.
  static var standardTemporaryFolders: [String] {
    var folders: [String] = []
    if let named = getenv("TMPDIR").map({ String(cString: $0) }), !named.isEmpty {
      folders.append(named)
    }
    return folders + ["/var/tmp", "/tmp"]
  }
}
