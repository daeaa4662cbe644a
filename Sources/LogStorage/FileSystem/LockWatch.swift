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
      let table = (try? PosixFileSystem().text(ofUnsized: "/proc/locks")) ?? ""
      let holders = lockHolders(device: device, inode: inode, in: table)
      let who =
        switch holders.count {
        case 0: "another process holds"
        case 1: "process \(holders[0]) holds"
        default: "processes \(holders.map(String.init).joined(separator: ", ")) hold"
        }
      tell("waiting for \(path), which \(who)")
    }
  }

  /// To be called once, when the lock is there or will not be.
  func end() {
    hasEnded.withLock { $0 = true }
    thread?.join()
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
