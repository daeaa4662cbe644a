#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Where the store takes the time of day from; tests and drills pass their own.
package protocol WallClock: Sendable {
  /// Milliseconds since 1970, UTC.
  func now() -> Int64
}

/// The machine's clock.
package struct SystemClock: WallClock {
  package init() {}

  package func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}

/// A clock that always shows the same time (`--now`).
package struct FixedClock: WallClock {
  package let milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  package func now() -> Int64 { milliseconds }
}

/// Where the store takes random numbers (names of files) from; tests pass a seeded one.
package protocol RandomSource: Sendable {
  /// 64 random bits.
  func next() -> UInt64
}

/// The system's random numbers.
package struct SystemRandomSource: RandomSource {
  package init() {}

  package func next() -> UInt64 { UInt64.random(in: .min ... .max) }
}
