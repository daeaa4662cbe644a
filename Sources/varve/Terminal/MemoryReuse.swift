import CMalloc

/// Keeps freed memory for the next row group.
///
/// The C library gives large blocks back to the system at once and fetches fresh pages, which the kernel has to
/// clear, for the next. Every row group needs the same few megabytes again: keeping them makes ingestion
/// twice as fast and queries half as long. Larger blocks belong to tables that grow: what they outgrew is
/// given back, or a query would hold far more than it uses.
enum MemoryReuse {
  /// - Note: Call before the first thread starts.
  static func enable() {
    #if os(Linux)
      mallopt(M_MMAP_THRESHOLD, 32 << 20)
      mallopt(M_TRIM_THRESHOLD, 1 << 30)
      mallopt(M_TOP_PAD, 16 << 20)
    #endif
  }
}
