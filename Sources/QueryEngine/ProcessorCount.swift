#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How many processors this process may use.
enum ProcessorCount {
  /// At least 1.
  static let available = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}
