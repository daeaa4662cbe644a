import Columnar

// What `anomaly` keeps of the tokens of a template: how often each value came in each part of the
// window. The first two thirds of the window, which say what is usual, are cut into ten parts; the
// last third is one.
//
//     took <Duration-1> on <Token-2>       part   1   2   3  …  10   last third
//     <Token-2>                   web-1           4   5   4      4           21
//                                 web-2           4   3   4      5           19
//
// A token has few values worth telling apart, or it is a name of its own kind, of users or orders: a
// value more than `mostTexts`, and none is kept. Numbers are counted exactly as long as at most
// `mostNumbers` differ, then rounded to nine significant bits, that is by 0.2 % at most: 1,234.5 is
// 1,236, and whole numbers up to 512 stay what they are. So a token takes little however many rows
// have it, and what is left depends only on which values there were, not on their order or on how
// rows were split among threads: if a part of the rows has too many values, all have. Ids and times,
// of which each is another one, are not looked at.
//
// Texts are the same in many forms (hosts, names of services), so a value is a number in a table of
// texts that all tokens share.

/// A window in the parts by which tokens are compared.
enum TokenParts {
  /// Counts of all parts; what is behind the last one stays 0.
  typealias Counts = SIMD16<UInt32>

  /// Parts of the first two thirds.
  static let usual = WindowParts.count / 3
  /// The last third.
  static let recent = usual
  static let count = usual + 1

  /// The part that a part of ``WindowParts`` lies in.
  static func part(of bucket: Int) -> Int { min(bucket / 2, recent) }

  /// Counts of the parts of ``WindowParts``, added up.
  static func counts(of buckets: [Int]) -> Counts {
    var counts = Counts()
    for (bucket, found) in buckets.enumerated() {
      counts[part(of: bucket)] &+= UInt32(truncatingIfNeeded: found)
    }
    return counts
  }
}

/// The values of one token of a template.
struct TokenValues: Sendable {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  /// Values that are told apart.
  static let mostTexts = 64
  /// Longer values are not kept, and no other of their token.
  static let mostBytes = 100
  /// Numbers that are told apart.
  static let mostNumbers = 256
  /// Bits of the fraction that are left of numbers when there are more.
  private static let fractionBits: UInt64 = 8

  private var partTotals = TokenParts.Counts()
  /// Rows whose value is a number.
  private(set) var numberCount = 0
  private var texts = PartTally()
  private var numbers = PartTally()
  /// Whether there were too many different values that are no numbers.
  private(set) var isFull = false
  /// Whether numbers are rounded.
  private(set) var isRounded = false

  init() {}

  /// A token that has been one text wherever it was.
  init(_ text: [UInt8], _ counts: TokenParts.Counts, texts table: inout ByteTable) {
    partTotals = counts
    guard text.count <= Self.mostBytes else {
      isFull = true
      return
    }
    let number = text.withUnsafeBufferPointer { table.insert($0) }
    for part in 0..<TokenParts.count where counts[part] > 0 {
      _ = texts.add(UInt64(number), counts[part], part: part)
    }
  }

  /// Counts a value.
  ///
  /// - Parameter table: the texts that values are numbers of.
  mutating func add(_ text: Bytes, number: Double?, part: Int, texts table: inout ByteTable) {
    partTotals[part] &+= 1
    if let number, number.isFinite {
      numberCount += 1
      let key = (number == 0 ? 0 : number).bitPattern
      if numbers.add(isRounded ? Self.rounded(key) : key, 1, part: part) { boundNumbers() }
    } else if !isFull {
      guard text.count <= Self.mostBytes else { return fill() }
      if texts.add(UInt64(table.insert(text)), 1, part: part) { boundTexts() }
    }
  }

  /// Takes in the values of another token, which are numbers of the same texts.
  mutating func add(_ other: TokenValues) { add(other) { $0 } }

  /// Takes in the values of another token.
  ///
  /// - Parameter change: what number a text has here.
  mutating func add(_ other: TokenValues, _ change: (UInt64) -> UInt64) {
    partTotals &+= other.partTotals
    numberCount += other.numberCount
    if other.isFull { fill() }
    if !isFull, !other.texts.isEmpty, texts.add(other.texts, change) { boundTexts() }
    if other.numbers.isEmpty { return }
    if other.isRounded { round() }
    let isRounded = isRounded
    let isNew = numbers.add(other.numbers) { isRounded ? Self.rounded($0) : $0 }
    if isNew { boundNumbers() }
  }

  private mutating func boundTexts() { if texts.keyCount > Self.mostTexts { fill() } }

  private mutating func fill() {
    isFull = true
    texts = PartTally()
  }

  private mutating func boundNumbers() { if numbers.keyCount > Self.mostNumbers { round() } }

  private mutating func round() {
    guard !isRounded else { return }
    isRounded = true
    numbers.changeKeys(Self.rounded)
  }

  /// A number rounded to the nearest with few bits in its fraction; a carry goes to the exponent, as it
  /// should.
  private static func rounded(_ bits: UInt64) -> UInt64 {
    let dropped = 52 - fractionBits
    let mask = ~((UInt64(1) << dropped) - 1)
    let nearest = (bits + (1 << (dropped - 1))) & mask
    return Double(bitPattern: nearest).isFinite ? nearest : bits & mask
  }

  /// Makes the values ready to be read.
  mutating func settle() {
    texts.settle()
    boundTexts()
    numbers.settle()
    boundNumbers()
  }

  /// How many rows have the token in each part.
  var totals: [UInt32] { (0..<TokenParts.count).map { partTotals[$0] } }

  /// Calls `body` with the number of each value that is no number, and its counts in all parts.
  func forEachText(_ body: (UInt32, [UInt32]) -> Void) {
    texts.forEach { body(UInt32(truncatingIfNeeded: $0), $1) }
  }

  var hasTexts: Bool { isFull || !texts.isEmpty }

  /// Every number with how often it came in each part, ascending.
  func sortedNumbers() -> [CountedNumber] {
    var found: [CountedNumber] = []
    numbers.forEach { key, counts in
      found.append(CountedNumber(number: Double(bitPattern: key), counts: counts))
    }
    return found.sorted { $0.number < $1.number }
  }

  /// Bytes beside those of the value itself.
  var byteCount: Int { texts.byteCount + numbers.byteCount }
}

/// A number with how often it came in each part of a window.
struct CountedNumber {
  let number: Double
  let counts: [UInt32]
}
