/// Tells of a lock that somebody waits for longer than a moment.
///
/// The system call that waits cannot be asked how it is getting on, so a thread looks at the clock meanwhile. It is
/// made only when the lock is not free at once.
final class LockWatch: Sendable {
  /// Locks of the store are held for milliseconds; who waits longer wants to know for whom.
  private static let patience: Int64 = 1_000

  private let hasEnded: Monitor<Bool>
  private let thread: ServiceThread?

  /// - Parameters:
  ///   - device: that of the file, and its inode.
  ///   - tell: told once, with a sentence.
  init(
    path: String, device: UInt64, inode: UInt64, tell: @escaping @Sendable (String) -> Void
  ) {
    let hasEnded = Monitor(false)
    self.hasEnded = hasEnded
    thread = try? ServiceThread {
      if hasEnded.wait(milliseconds: Self.patience, { $0 ? true : nil }) != nil { return }
      let holders = ProcessList(lockHolders(device: device, inode: inode, in: lockTable()))
      tell("waiting for \(path), which \(holders) \(holders.count > 1 ? "hold" : "holds")")
    }
  }

  /// To be called once, when the lock is there or will not be.
  func end() {
    hasEnded.withLock { $0 = true }
    thread?.join()
  }
}

/// The kernel's table of locks; empty where there is none.
func lockTable() -> String { (try? PosixFileSystem().text(ofUnsized: "/proc/locks")) ?? "" }

/// Processes as messages name them: `process 4711`.
package struct ProcessList: Sendable, Hashable, CustomStringConvertible {
  private let identifiers: [Int]

  package var count: Int { identifiers.count }

  package init(_ identifiers: [Int]) { self.identifiers = Set(identifiers).sorted() }

  package var description: String {
    switch count {
    case 0: "another process"
    case 1: "process \(identifiers[0])"
    default: "processes \(identifiers.map(String.init).joined(separator: ", "))"
    }
  }
}

extension LogStore {
  /// The processes that hold a lock on a file, as far as the machine tells.
  func holdersOfLock(_ path: String) -> [Int] {
    guard let status = try? fileSystem.status(of: path) else { return [] }
    return lockHolders(device: status.device, inode: status.inode, in: lockTable())
  }
}

/// The processes that hold a lock on a file, by the kernel's table of locks
/// (`1: FLOCK  ADVISORY  WRITE 4711 fe:00:131 0 EOF`; those that wait have an arrow).
func lockHolders(device: UInt64, inode: UInt64, in table: String) -> [Int] {
  let numbers = deviceNumbers(device)
  var found: [Int] = []
  for line in table.split(separator: "\n") {
    let fields = line.split(separator: " ")
    guard fields.count > 5, fields[1] != "->", let process = Int(fields[4]) else { continue }
    let place = fields[5].split(separator: ":")
    guard place.count == 3, UInt64(place[0], radix: 16) == numbers.major,
      UInt64(place[1], radix: 16) == numbers.minor, UInt64(place[2]) == inode
    else { continue }
    found.append(process)
  }
  return found
}
