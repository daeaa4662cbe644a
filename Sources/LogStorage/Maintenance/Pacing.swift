#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension LogStore {
  /// Does a piece of maintenance and rests so long that work takes its share of the time, no more: with a share of a
  /// quarter, three seconds after one.
  func paced<Result>(_ work: () throws -> Result) rethrows -> Result {
    let started = ContinuousClock.now
    defer {
      let rest = Self.rest(after: ContinuousClock.now - started, share: options.maintenanceShare)
      if rest > .zero { usleep(UInt32(clamping: rest.milliseconds * 1000)) }
    }
    return try work()
  }

  /// How long to rest after some work.
  static func rest(after work: Duration, share: Double) -> Duration {
    guard share < 1 else { return .zero }
    return work * (1 / max(share, 0.01) - 1)
  }
}
