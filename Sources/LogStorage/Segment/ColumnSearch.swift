import Columnar

// Searching the values of one column for a literal, with something constant around each.

extension ColumnData {
  /// Which of `count` values hold the literal once `before` stands in front of each and `after` behind it.
  ///
  /// Coded values are searched once each.
  ///
  /// - Parameters:
  ///   - meaningEscapes: the values are insides of JSON strings, and what they mean is searched.
  ///   - position: where value `i` of those asked for stands in the column; ascending.
  /// - Throws: when a part of the column is read first here, and damaged.
  func hits(
    _ search: ByteSearch, count: Int, before: [UInt8] = [], after: [UInt8] = [],
    meaningEscapes: Bool = false, _ position: (Int) -> Int
  ) throws -> Bitmap {
    switch self {
    case .constant(let text):
      let whole = before + (meaningEscapes ? JSONEscapes.meaning(of: text) : text) + after
      return Bitmap(
        repeating: whole.withUnsafeBufferPointer { search.isIn($0) }, count: count)
    case .dictionary(let codes, let entries) where entries.count <= count:
      let found = try ColumnData.texts(entries).hits(
        search, count: entries.count, before: before, after: after,
        meaningEscapes: meaningEscapes
      ) { $0 }
      if found.isEmpty { return Bitmap(repeating: false, count: count) }
      return Bitmap(count: count) { found[Int(codes[position($0)])] }
    case .reference(let reference):
      return try reference.column[0].hits(
        search, count: count, before: before, after: after, meaningEscapes: meaningEscapes
      ) { Int(reference.positions[position($0)]) }
    case .timestamps(let run) where before.isEmpty && after.isEmpty && !run.mayHold(search):
      return Bitmap(repeating: false, count: count)
    default:
      let texts = try values(count, meaningEscapes: meaningEscapes, position)
      if before.isEmpty, after.isEmpty { return search.rows(in: texts) }
      var whole = StringVector()
      whole.offsets.reserveCapacity(count + 1)
      whole.bytes.reserveCapacity(texts.bytes.count + count * (before.count + after.count))
      for i in 0..<count {
        whole.bytes.append(contentsOf: before)
        whole.bytes.append(contentsOf: texts.bytes[texts.range(i)])
        whole.bytes.append(contentsOf: after)
        whole.offsets.append(UInt32(whole.bytes.count))
      }
      return search.rows(in: whole)
    }
  }

  /// The texts of some values, ascending in their positions.
  private func values(
    _ count: Int, meaningEscapes: Bool, _ position: (Int) -> Int
  ) throws -> StringVector {
    var texts = TextRun(offsets: [0], bytes: [])
    switch self {
    case .identifiers(let run):
      texts = run.texts(count, position)
    case .templates(let run):
      texts = try run.texts(at: (0..<count).map { UInt32(position($0)) })
    default:
      texts = try RenderedColumn(self, at: (0..<count).map(position)).texts
    }
    if meaningEscapes { texts = JSONEscapes.decoded(texts) }
    return StringVector(offsets: texts.offsets, bytes: texts.bytes)
  }

  /// The bytes that the values may have.
  var alphabet: Alphabet {
    switch self {
    case .constant(let bytes): Alphabet(of: bytes)
    case .dictionary(_, let entries): Alphabet(of: entries.bytes)
    case .texts(let run): Alphabet(of: run.bytes)
    case .integers: Alphabet(of: .integer)
    case .decimals: Alphabet(of: .decimal)
    case .doubles: Alphabet(of: .double)
    case .timestamps: Alphabet(of: .timestampText)
    case .identifiers: Alphabet(of: .identifier)
    case .templates(let run): run.alphabet
    case .reference(let reference): reference.column[0].alphabet
    }
  }
}

extension Alphabet {
  /// What values of an encoding may consist of, whatever they are.
  init(of encoding: ColumnEncoding) {
    switch encoding {
    case .integer, .decimal: self = [.digits, .marks]
    // Scientific forms have an e and maybe a plus.
    case .double: self = [.digits, .marks, .lowerHexadecimal, .others]
    case .timestampNumber: self = [.digits, .marks]
    // Separators, T, Z and names of zones.
    case .timestampText:
      self = [.digits, .marks, .lowerHexadecimal, .lowerLetters, .upperLetters, .others]
    case .identifier: self = [.digits, .marks, .lowerHexadecimal]
    case .constant, .dictionary, .plainString, .templates, .reference, .rare, .pieces: self = .all
    }
  }

  static let all: Alphabet = [
    .digits, .marks, .lowerHexadecimal, .lowerLetters, .upperLetters, .others,
  ]

  init(of bytes: [UInt8]) {
    var seen = [Bool](repeating: false, count: 256)
    for byte in bytes { seen[Int(byte)] = true }
    self = []
    for byte in seen.indices where seen[byte] { formUnion(Alphabet(of: UInt8(byte))) }
  }
}
