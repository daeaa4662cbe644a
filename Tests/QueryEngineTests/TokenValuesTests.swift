import Columnar
import LogStorage
import TestSupport
import Testing

@testable import QueryEngine

@Suite struct TokenValuesTests {
  // MARK: Tables of templates

  /// What is known of a token, in words.
  private struct Known: Hashable {
    var totals: [UInt32]
    var texts: [String: [UInt32]] = [:]
    var numbers: [[Double]] = []
    var isFull: Bool
    var isRounded: Bool

    init(_ values: TokenValues, _ table: ByteTable) {
      var values = values
      values.settle()
      totals = values.totals
      isFull = values.isFull
      isRounded = values.isRounded
      var texts: [String: [UInt32]] = [:]
      values.forEachText { number, counts in
        texts[table.withKey(number) { String(decoding: $0, as: UTF8.self) }] = counts
      }
      self.texts = texts
      numbers = values.sortedNumbers().map { [$0.number] + $0.counts.map { Double($0) } }
    }
  }

  private static func table(of texts: some Sequence<(text: String, part: Int)>, limit: Int)
    -> TemplateTable
  {
    var table = TemplateTable(limit: limit)
    var tokenizer = TemplateTokenizer(notesTokens: true)
    var tokens = RowTokens()
    for (text, part) in texts {
      Array(text.utf8).withUnsafeBufferPointer { bytes in
        tokenizer.tokenize(bytes)
        tokens.begin()
        tokens.add(tokenizer.tokens, of: bytes)
        let number = tokenizer.withTemplate { table.add($0) }
        table.addTime(part, of: WindowParts.count, to: number)
        table.addTokens(tokens, part: TokenParts.part(of: part), to: number)
      }
    }
    return table
  }

  private static func known(_ table: TemplateTable) -> [[UInt8]: [Known]] {
    let all = table.templates().map { template in
      (template.bytes, template.details.tokens.map { Known($0, table.tokenTexts) })
    }
    return Dictionary(uniqueKeysWithValues: all)
  }

  private static func text(_ generator: inout SeededGenerator) -> String {
    func number(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
    let fraction = ".\(number(1_000))"
    let forms = [
      "from 10.0.0.\(number(200)) took \(number(100_000))\(fraction)ms",
      "from 10.0.0.\(number(9)) took \(number(90))ms", "peer 10.0.0.\(number(9)) is ready",
      "status \(200 + number(300)) of /path/\(number(70)) level -\(number(9_000))\(fraction)",
      "word\(number(30))x Cart\(number(5))B done \(number(4))",
      "keys\(number(3))y of Box.\(number(2))a done \(number(4))",
    ]
    return forms[number(forms.count)]
  }

  @Test(arguments: [1_000, 20, 10]) func `neither order nor parts show in the values`(
    _ limit: Int
  ) {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    var texts = (0..<5_000).map { _ in
      (text: Self.text(&generator), part: Int.random(in: 0..<30, using: &generator))
    }
    let whole = Self.table(of: texts, limit: limit)
    let expected = Self.known(whole)
    #expect(!whole.losesTokens && (whole.level == .exact) == (limit == 1_000))
    let all = expected.values.joined()
    #expect(all.contains { $0.isFull } && all.contains { !$0.texts.isEmpty })
    #expect(all.contains { $0.isRounded } && all.contains { !$0.isRounded && !$0.numbers.isEmpty })
    for length in [1, 70, 1_100] {
      texts.shuffle(using: &generator)
      var tables = stride(from: 0, to: texts.count, by: length).map { start in
        Self.table(of: texts[start..<min(start + length, texts.count)], limit: limit)
      }
      // Two and two, then those and so on: a tree and no row.
      while tables.count > 1 {
        tables = stride(from: 0, to: tables.count, by: 2).map { index in
          var table = tables[index]
          if index + 1 < tables.count { table.merge(tables[index + 1]) { $0 } }
          return table
        }
      }
      #expect(tables[0].level == whole.level)
      #expect(Self.known(tables[0]) == expected, "parts of \(length), seed \(seed)")
    }
  }

  @Test func `words that become tokens keep their counts`() {
    let texts = (0..<40).map { (text: "user u\($0 % 4)x has items", part: $0 % 30) }
    let exact = Self.table(of: texts, limit: 4)
    #expect(exact.level == .exact && exact.counts.count == 4)
    let table = Self.table(of: texts, limit: 3)
    #expect(table.level == .withoutDigits && table.counts == [40])
    let token = Known(table.details[0].tokens[0], table.tokenTexts)
    #expect(token.texts.keys.sorted() == ["u0x", "u1x", "u2x", "u3x"])
    #expect(token.texts.values.allSatisfy { $0.reduce(0, +) == 10 })
    #expect(
      token.totals
        == (0..<11).map { part in
          UInt32(texts.count { TokenParts.part(of: $0.part) == part })
        })
  }

  // MARK: Numbers

  private static func values(of numbers: [Double]) -> TokenValues {
    var values = TokenValues()
    var texts = ByteTable()
    let empty = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    for number in numbers { values.add(empty, number: number, part: 3, texts: &texts) }
    values.settle()
    return values
  }

  @Test func `many numbers are rounded by 0.2 percent at most`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let numbers = (0..<3_000).map { index in
      index == 0
        ? -Double.greatestFiniteMagnitude
        : Double.random(in: 1...10, using: &generator)
          * [1e-300, -1e-3, 1, 700, -1e9, 1e300][index % 6]
    }
    let found = Self.values(of: numbers)
    #expect(found.isRounded && found.numberCount == 3_000 && found.totals[3] == 3_000)
    let rounded = found.sortedNumbers().flatMap { number in
      [Double](repeating: number.number, count: Int(number.counts[3]))
    }
    #expect(rounded.count == numbers.count)
    for (exact, rounded) in zip(numbers.sorted(), rounded) {
      #expect(abs(rounded - exact) <= abs(exact) * 0.002, "\(exact) is \(rounded), seed \(seed)")
    }
  }

  @Test func `numbers are exact while they are few, and whole ones up to 512 ever`() {
    let few = (0..<256).map { 1_000.25 + Double($0) / 7 }
    #expect(!Self.values(of: few + few).isRounded)
    #expect(Self.values(of: few + few).sortedNumbers().map(\.number) == few)
    #expect(Self.values(of: few + [0.1]).isRounded)
    let whole = (0...512).map { Double($0) }
    let found = Self.values(of: whole)
    #expect(found.isRounded && found.sortedNumbers().map(\.number) == whole)
  }

  // MARK: Queries

  @Test func `tokens are compared however many forms of text there are`() throws {
    // More than 20,000 forms: one for each user and word.
    let words = ["cart", "item", "home", "mail", "help", "shop"]
    let texts = (0..<24_000).map { index in
      let host = index >= 16_000 && index % 4 < 2 ? "gamma" : ["alpha", "beta"][index % 2]
      return "user u\(index / 6)x opened \(words[index % 6]) at node \(host)"
    }
    var options = QueryOptions(now: MemorySource.start)
    options.workers = 2
    var rows: [String] = []
    let query = "pattern @message | anomaly | display @sampleCount, @anomalyDescription"
    let outcome = try PreparedQuery(query, options: options).run(
      on: MemorySource(texts: texts, rowsPerGroup: 5_000)
    ) { batch in
      for row in 0..<batch.rowCount {
        rows.append(batch.columns.map { $0.value(at: row).text ?? "-" }.joined(separator: " "))
      }
    }
    #expect(outcome.statistics.approximations.count == 1)
    #expect(outcome.statistics.approximations[0].hasPrefix("pattern: more than 20000 forms"))
    #expect(rows.count == 1 && rows[0].hasPrefix("24000 "), "\(rows)")
    #expect(rows[0].contains("is 'gamma' in 50% of the texts in the last third"), "\(rows)")
  }

  @Test func `anomaly says when it needs more memory than there is`() throws {
    let texts = (0..<3_000).map { "path \($0 % 50)-\($0)abc x\($0 % 900)y took \($0 * 7)ms" }
    let failure = #expect(throws: QueryFailure.self) {
      try answer("pattern @message | anomaly", on: MemorySource(texts: texts)) {
        $0.memoryLimit = 400_000
      }
    }
    #expect(failure?.code == "E502")
    #expect(failure?.description.hasPrefix("anomaly needs more than") == true, "\(failure!)")
  }
}
