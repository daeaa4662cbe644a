#if canImport(Glibc)
  import Glibc
#endif

/// Large pages for the memory that a thread works in.
///
/// Each fresh page of 4 KiB interrupts the program until the kernel has cleared it. A query that touches 30 MB does
/// so 7,500 times, and in a process that runs for 30 ms this takes a third of them. Pages of 2 MiB make
/// it fifteen times; where the system has none free, or hands out none, all stays as it was.
///
/// A large page has to lie on a multiple of its size, and a thread's memory begins anywhere: what lies before the
/// first multiple, up to 2 MB, would come in small pages, and for most queries this is all they need. So the gap is
/// held, untouched, for as long as the thread works.
///
///     the thread's memory |··gap, held··|== large page ==|== large page ==| …
///                                       ^ what the thread allocates
package struct LargePages: ~Copyable {
  /// What a thread needs for a row group, bytes; what goes beyond comes in small pages.
  private static let byteCount: UInt = 16 << 20
  private static let pageByteCount: UInt = 2 << 20
  /// What the C library puts before each block, bytes.
  private static let headerByteCount: UInt = 16

  private let gap: UnsafeMutableRawPointer?

  /// Asks for large pages where the calling thread's next allocations will come from.
  ///
  /// The C library gives each thread a region of its own and has no call that tells where. So a block is taken from it
  /// and given back: what is taken next lies there.
  package static func adviseForThisThread() -> LargePages {
    #if os(Linux)
      guard let probe = malloc(Int(byteCount)) else { return LargePages(gap: nil) }
      let start = UInt(bitPattern: probe)
      let first = (start + headerByteCount + pageByteCount - 1) & ~(pageByteCount - 1)
      // Only a wish: that it cannot be had is no failure.
      _ = madvise(
        UnsafeMutableRawPointer(bitPattern: first), Int(start + byteCount - first), MADV_HUGEPAGE)
      free(probe)
      // Small gaps could lie in a list of freed blocks elsewhere, and save little.
      let gapByteCount = first - start - headerByteCount
      return LargePages(gap: gapByteCount < 64 << 10 ? nil : malloc(Int(gapByteCount)))
    #else
      return LargePages(gap: nil)
    #endif
  }

  /// For a thread that works as long as the process lives.
  package consuming func holdForGood() { discard self }

  /// The gap lies in the region of the thread that asked: it is for that thread to end this.
  deinit { free(gap) }
}
