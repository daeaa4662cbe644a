import CMalloc
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

// The C library keeps memory that was freed for the next use. What a query frees are texts of a row group, blocks
// of a table, rows that were written to disk, and what it takes next may fit none of the holes: kept and used together, a
// process may come to hold twice what it uses. While it holds far less than it may, that is as it should be, for
// fresh memory costs time. Near what a query may use, kept memory goes back to the system.

/// Gives freed memory back to the system when the process holds much of what a query may use.
final class FreedMemory: Sendable {
  /// Between two looks, nanoseconds: looking takes some 20 µs, giving back some milliseconds.
  private static let pause = 20_000_000
  /// The same after a look that found nothing to give back.
  private static let longPause = 60_000_000
  /// Bytes that are worth giving back.
  private static let worthwhile = 16 << 20

  /// Bytes that the process may hold with nothing given back.
  private let mostHeld: Int
  private let nextLook: Atomic<Int>

  /// - Parameter limit: what the query may use.
  init(limit: Int) {
    mostHeld = limit - min(limit / 2, 128 << 20)
    // Most queries end before.
    nextLook = Atomic(Self.now + Self.pause)
  }

  /// To be called now and then, by whoever takes and frees memory.
  func look() {
    let due = nextLook.load(ordering: .relaxed)
    let now = Self.now
    guard now >= due,
      nextLook.compareExchange(expected: due, desired: now + Self.pause, ordering: .relaxed)
        .exchanged,
      let held = Self.residentByteCount(), held > mostHeld
    else { return }
    #if os(Linux)
      _ = malloc_trim(0)
    #endif
    let left = Self.residentByteCount() ?? 0
    let isWorthwhile = held - left >= Self.worthwhile
    nextLook.store(
      Self.now + (isWorthwhile ? Self.pause : Self.longPause), ordering: .relaxed)
  }

  private static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// Bytes of memory that the process has; `nil` where the system does not tell.
  private static func residentByteCount() -> Int? {
    let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return withUnsafeTemporaryAllocation(byteCount: 128, alignment: 1) { buffer -> Int? in
      let count = read(file, buffer.baseAddress!, buffer.count)
      // All pages, then those in memory.
      let fields = buffer[..<max(0, count)].split(separator: UInt8(ascii: " "))
      guard fields.count > 1 else { return nil }
      return Int(String(decoding: fields[1], as: UTF8.self)).map { $0 * Int(getpagesize()) }
    }
  }
}
