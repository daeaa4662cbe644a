/// One thing worth measuring: work that says how much it did.
struct Benchmark {
  let name: String
  /// What one run did; its time is taken by whoever calls it.
  let run: () throws -> Work

  /// How much one run did, and a number that depends on all of it, so that no compiler can leave any
  /// of it out.
  struct Work {
    var rows: Int
    var bytes: Int
    var checksum: UInt64
  }

  /// Runs `repeats` times and tells the fastest; a slower run was disturbed by something else.
  ///
  /// - Throws: what the work throws, and `ChecksumChanged` when two runs did not do the same.
  func measure(repeats: Int) throws -> String {
    var best = Duration.seconds(1 << 30)
    var work: Work?
    for _ in 0..<max(1, repeats) {
      let clock = ContinuousClock()
      let start = clock.now
      let done = try run()
      best = min(best, clock.now - start)
      if let work, work.checksum != done.checksum { throw ChecksumChanged(name: name) }
      work = done
    }
    guard let work else { return "" }
    return Self.line(name, work, seconds: best / .seconds(1))
  }

  private static func line(_ name: String, _ work: Work, seconds: Double) -> String {
    let columns = [
      name.padded(to: 60), (decimal(seconds * 1_000) + " ms").padded(to: -14),
      (scaled(Double(work.rows) / seconds) + "rows/s").padded(to: -16),
      (scaled(Double(work.bytes) / seconds) + "B/s").padded(to: -13),
      "  \(work.rows) rows, \(work.bytes) bytes, checksum \(String(work.checksum, radix: 16))",
    ]
    return columns.joined()
  }

  /// `12.3 M` of 12,300,000.
  private static func scaled(_ value: Double) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")]
    for (size, unit) in units where value >= size { return decimal(value / size) + " " + unit }
    return decimal(value) + " "
  }

  private static func decimal(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }
}

/// Two runs of one benchmark came to different results.
struct ChecksumChanged: Error, CustomStringConvertible {
  let name: String
  var description: String { "\(name): two runs did not come to the same result" }
}

extension String {
  /// With blanks behind it, or before it when `width` is negative.
  fileprivate func padded(to width: Int) -> String {
    let blanks = String(repeating: " ", count: max(0, abs(width) - utf8.count))
    return width < 0 ? blanks + self : self + blanks
  }
}

/// A running checksum: FNV-1a over 64-bit words.
struct Checksum {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ word: UInt64) { value = (value ^ word) &* 0x0000_0100_0000_01B3 }
}
