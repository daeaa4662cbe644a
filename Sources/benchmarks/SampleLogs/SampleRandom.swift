/// The source of every accident in `SampleLogs/`: SplitMix64 (Steele et al. 2014) and draws of our
/// own, so that the files stay the same bytes under every version of the standard library.
struct SampleRandom {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A whole number from 0 to `bound - 1`.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// A whole number in `range`.
  mutating func number(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + below(range.upperBound - range.lowerBound + 1)
  }

  /// True in `percent` of 100 cases.
  mutating func chance(percent: Int) -> Bool { below(100) < percent }

  mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

  /// Lower-case hexadecimal digits.
  mutating func hex(_ digits: Int) -> String {
    var text = ""
    while text.utf8.count < digits {
      let piece = String(next(), radix: 16)
      text += String(repeating: "0", count: 16 - piece.utf8.count) + piece
    }
    return String(text.prefix(digits))
  }

  /// A version 4 UUID.
  mutating func uuid() -> String {
    "\(hex(8))-\(hex(4))-4\(hex(3))-\(pick(["8", "9", "a", "b"]))\(hex(3))-\(hex(12))"
  }

  /// Milliseconds with a long tail, as latencies have: mostly near `typical`, at times ten times it.
  mutating func latency(typical: Int) -> Int {
    let base = typical / 2 + below(typical)
    return chance(percent: 4) ? base * number(4...10) : base
  }
}
