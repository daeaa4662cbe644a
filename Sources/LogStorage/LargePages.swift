#if canImport(Glibc)
  import Glibc
#endif

/// Large pages for the memory that a thread works in.
///
/// Each fresh page of 4 KiB interrupts the program until the kernel has cleared it. A query that touches 30 MB does
/// so 7,500 times, and in a process that runs for 30 ms this takes a third of them. Pages of 2 MiB make
/// it fifteen times; where the system has none free, or hands out none, all stays as it was.
package enum LargePages {
  /// What a thread needs for a row group, bytes; what goes beyond comes in small pages.
  private static let byteCount = 16 << 20

  /// Asks for large pages where the calling thread's next allocations will come from.
  ///
  /// The C library gives each thread a region of its own and has no call that tells where. So a block is taken from it
  /// and given back: what is taken next lies there.
  package static func adviseForThisThread() {
    #if os(Linux)
      guard let block = malloc(byteCount) else { return }
      let page = UInt(sysconf(Int32(_SC_PAGESIZE)))
      let start = (UInt(bitPattern: block) + page - 1) & ~(page - 1)
      let end = (UInt(bitPattern: block) + UInt(byteCount)) & ~(page - 1)
      // Only a wish: that it cannot be had is no failure.
      _ = madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_HUGEPAGE)
      free(block)
    #endif
  }
}
