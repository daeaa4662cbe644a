import Columnar

// A table of templates that cannot outgrow its bound. Texts with names in them (users, hosts, items)
// have nearly as many templates as there are texts; what they have in common then is found by giving
// up detail, for all templates at once. A table is at a level; when it holds too many templates, it
// goes up a level, on which several read the same:
//
//     level 0   user=alice7 opened Cart.java after 3 retries     (the exact template has ▯ for 3)
//     level 1   user=▯ opened Cart.java after ▯ retries          words that hold digits
//     level 2   user=▯ opened ▯ after ▯ retries                  mixed case, dots, dashes …
//     level 3   user=▯ opened ▯ after ▯ ▯                        all but keys and the first words
//     level 4   ▯=▯ ▯ ▯ ▯ ▯ ▯                                    all words
//     level 5   ▯                                                the whole text
//
// Of a record the template of its main slot goes up like a text; of its frame (see RecordFrame) names with
// digits in them go at level 3, all names at level 4, and with level 5 its slots are gone.
//
// A level is a function of the template alone, and going up in steps or at once gives the same. The
// final level is the lowest on which all texts have few enough templates, so it depends neither on
// the order of the texts nor on how they were split among tables.

/// Templates with their counts and what else is wanted of their texts.
struct TemplateTable: Sendable {
  /// What is kept of the texts besides their counts.
  struct Details: Sendable {
    var samples: [PatternSample] = []
    /// How many texts lie in each part of the window, if asked for.
    var buckets: [Int] = []
    /// Of records: what the values of each slot have in common.
    var slots: [[UInt8]] = []
    /// The values of the tokens, if asked for: of a record those of its slots but the main one, then
    /// those in the main slot.
    var tokens: [TokenValues] = []

    /// Whether counts over time are asked for, and with them tokens.
    var isOverTime: Bool { !buckets.isEmpty }

    mutating func add(_ other: Details) {
      if !other.samples.isEmpty { samples = PatternSample.earliest(samples + other.samples) }
      if slots.count == other.slots.count {
        for index in slots.indices where slots[index] != other.slots[index] {
          slots[index] = SlotForm.join(slots[index], other.slots[index])
        }
      } else {
        slots = []
      }
      if buckets.isEmpty {
        buckets = other.buckets
      } else {
        for index in other.buckets.indices { buckets[index] += other.buckets[index] }
      }
      addTokens(other.tokens)
    }

    fileprivate mutating func addTokens(_ others: [TokenValues]) {
      if tokens.isEmpty {
        tokens = others
      } else {
        for index in tokens.indices where index < others.count { tokens[index].add(others[index]) }
      }
    }
  }

  /// Templates that are told apart, at most.
  static let mostTemplates = 20_000

  private let limit: Int
  private var table = ByteTable()
  /// What values of tokens are numbers of.
  private(set) var tokenTexts = ByteTable()
  /// The template last looked for, as the level has it, and as it was.
  private var scratch: [UInt8] = []
  private var original: [UInt8] = []
  private(set) var level = TemplateLevel.exact
  private(set) var counts: [Int] = []
  private(set) var details: [Details] = []

  init(limit: Int = TemplateTable.mostTemplates) { self.limit = limit }

  /// Counts a template `count` times and returns its number, which holds until the next call.
  mutating func add(_ template: UnsafeBufferPointer<UInt8>, count: Int = 1) -> Int {
    let number = number(of: template)
    if number == counts.count {
      counts.append(0)
      details.append(Details())
    }
    counts[number] += count
    return number
  }

  /// Counts a template `count` times, with what is known of its texts, and returns its number.
  mutating func add(
    _ template: UnsafeBufferPointer<UInt8>, count: Int, _ found: Details
  ) -> Int {
    let number = number(of: template)
    var found = found
    if level != .exact, found.isOverTime {
      generalise(&found.tokens, TokenParts.counts(of: found.buckets))
    }
    add(count, found, to: number)
    return number
  }

  private mutating func add(_ count: Int, _ found: Details, to number: Int) {
    if number == counts.count {
      counts.append(count)
      details.append(found)
    } else {
      counts[number] += count
      details[number].add(found)
    }
    // Nothing is left of which they were slots, or tokens.
    if level == .whole { details[number].slots = [] }
    if losesTokens { details[number].tokens = [] }
  }

  /// The number of a template; that of a new one is the count of those there are.
  private mutating func number(of template: UnsafeBufferPointer<UInt8>) -> Int {
    var number = insert(template)
    while number >= limit, number == counts.count, level != .whole {
      goUp()
      number = insert(template)
    }
    return number
  }

  private mutating func insert(_ template: UnsafeBufferPointer<UInt8>) -> Int {
    guard level != .exact else { return Int(table.insert(template)) }
    original.removeAll(keepingCapacity: true)
    original += template
    scratch.removeAll(keepingCapacity: true)
    level.generalise(template, into: &scratch)
    return scratch.withUnsafeBufferPointer { Int(table.insert($0)) }
  }

  private mutating func goUp() {
    guard let above = TemplateLevel(rawValue: level.rawValue + 1) else { return }
    level = above
    let old = self
    table = ByteTable()
    counts = []
    details = []
    for number in old.counts.indices {
      let own = old.table.withKey(UInt32(number)) { insert($0) }
      var found = old.details[number]
      if found.isOverTime { generalise(&found.tokens, TokenParts.counts(of: found.buckets)) }
      add(old.counts[number], found, to: own)
    }
  }

  /// Makes the tokens of the template last looked for those of the level.
  private mutating func generalise(_ tokens: inout [TokenValues], _ counts: TokenParts.Counts) {
    guard !losesTokens, original != scratch else { return }
    let shape = TemplateShape(original)
    var found = ClusterTokens(shape, tokens)
    found.generalise(
      shape.words, to: TemplateShape(scratch).words, counts, texts: &tokenTexts)
    tokens = found.inOrder
  }

  mutating func addSample(_ sample: PatternSample, to number: Int) {
    details[number].samples.append(sample)
  }

  mutating func addTime(_ bucket: Int, of bucketCount: Int, to number: Int) {
    if details[number].buckets.isEmpty {
      details[number].buckets = [Int](repeating: 0, count: bucketCount)
    }
    details[number].buckets[bucket] += 1
  }

  /// Whether the values of tokens are no longer kept, as too little is left of the templates: from the
  /// level on that takes names of fields for tokens.
  var losesTokens: Bool { level >= .keysAndBeginning }

  /// Counts the tokens of a text whose template was added last.
  mutating func addTokens(_ tokens: RowTokens, part: Int, to number: Int) {
    if losesTokens { return }
    if level == .exact {
      tokens.count(in: &details[number].tokens, part: part, texts: &tokenTexts)
      return
    }
    var found = Details()
    tokens.count(in: &found.tokens, part: part, texts: &tokenTexts)
    var counts = TokenParts.Counts()
    counts[part] = 1
    generalise(&found.tokens, counts)
    details[number].addTokens(found.tokens)
  }

  /// Takes over what another table has counted.
  ///
  /// - Parameter change: what becomes of its samples.
  mutating func merge(_ other: TemplateTable, _ change: (PatternSample) -> PatternSample) {
    while level < other.level { goUp() }
    var numbers = TextNumbers(other.tokenTexts)
    var stop = StopCounter(every: 256)
    for number in other.counts.indices {
      // Nobody will look at the rest.
      if stop.isPassed() { return }
      var found = other.details[number]
      found.samples = found.samples.map(change)
      found.tokens = losesTokens ? [] : found.tokens.map { numbers.values($0, &tokenTexts) }
      _ = other.table.withKey(UInt32(number)) { add($0, count: other.counts[number], found) }
    }
  }

  /// The numbers that the texts of another table have in this one.
  private struct TextNumbers {
    private let others: ByteTable
    private var own: [UInt32]

    init(_ others: ByteTable) {
      self.others = others
      own = [UInt32](repeating: .max, count: others.count)
    }

    /// The values of a token of the other table as those of one of this table.
    mutating func values(_ values: TokenValues, _ texts: inout ByteTable) -> TokenValues {
      var result = TokenValues()
      result.add(values) { number in
        let place = Int(number)
        if own[place] == .max {
          own[place] = others.withKey(UInt32(place)) { texts.insert($0) }
        }
        return UInt64(own[place])
      }
      return result
    }
  }

  /// The templates as `PatternMerging` takes them.
  func templates() -> [PatternTemplate] {
    counts.indices.map { number in
      PatternTemplate(
        bytes: table.withKey(UInt32(number)) { Array($0) }, count: counts[number],
        details: details[number])
    }
  }

  /// Bytes of the table and of the words that merging takes its templates apart into, about.
  var byteCount: Int {
    let own = table.byteCount * 4 + counts.count * 160 + tokenTexts.byteCount
    return details.reduce(own) { sum, details in
      sum + details.buckets.count * 8 + details.slots.reduce(0) { $0 + 40 + $1.count }
        + details.tokens.reduce(0) { $0 + MemoryLayout<TokenValues>.stride + $1.byteCount }
        + details.samples.reduce(0) { $0 + $1.text.utf8.count + 48 }
    }
  }
}

/// How much of a template is kept.
enum TemplateLevel: UInt8, Comparable, Sendable {
  case exact, withoutDigits, plainWords, keysAndBeginning, form, whole

  static func < (a: TemplateLevel, b: TemplateLevel) -> Bool { a.rawValue < b.rawValue }

  /// Words at the beginning that often tell what a text is about.
  private static let leadingWords = 4

  /// Appends the template as this level has it. Words that tell the severity stay to the last.
  func generalise(_ template: UnsafeBufferPointer<UInt8>, into result: inout [UInt8]) {
    let record = RecordTemplate(template)
    guard self != .whole else { return appendWhole(template, record, to: &result) }
    if let record {
      RecordTemplate.begin(record.marks, to: &result)
      generalise(template, record.frame, isFrame: true, into: &result)
      RecordTemplate.endFrame(&result)
    }
    generalise(template, record?.main ?? template.indices, isFrame: false, into: &result)
  }

  private func appendWhole(
    _ template: UnsafeBufferPointer<UInt8>, _ record: RecordTemplate?, to result: inout [UInt8]
  ) {
    var words: [UInt8] = []
    generalise(template, record?.main ?? template.indices, isFrame: false, into: &words)
    var marks = SeverityMarks(of: words).union(record?.marks ?? [])
    if let record {
      words.removeAll(keepingCapacity: true)
      generalise(template, record.frame, isFrame: true, into: &words)
      marks.formUnion(SeverityMarks(of: words))
    }
    if marks.severity != .info { result += Array(marks.severity.rawValue.utf8) + [0x20] }
    result += SlotForm.token
  }

  private func generalise(
    _ template: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, isFrame: Bool,
    into result: inout [UInt8]
  ) {
    let template = UnsafeBufferPointer(rebasing: template[range])
    var position = 0
    var index = 0
    while position < template.count {
      let byte = template[position]
      if TemplateTokenizer.isDelimiter(byte) {
        result.append(byte)
        position += 1
        continue
      }
      let word = Word(template, at: position)
      if isFrame ? keepsInFrame(word, template) : keeps(word, index: index, in: template) {
        for place in word.range { result.append(template[place]) }
      } else {
        result += SlotForm.token
      }
      position = word.range.upperBound
      index += 1
    }
  }

  /// In a frame, slots stay as long as there is one.
  private func keepsInFrame(_ word: Word, _ template: UnsafeBufferPointer<UInt8>) -> Bool {
    if word.isMark || self < .keysAndBeginning { return true }
    return (self < .form && !word.hasDigits) || word.tellsSeverity(in: template)
  }

  private struct Word {
    let range: Range<Int>
    /// Nothing but one mark.
    let isMark: Bool
    private(set) var hasDigits = false
    private(set) var isAllLetters = true
    /// Letters without a capital behind the first.
    private(set) var isPlain = true

    @inline(__always)
    init(_ template: UnsafeBufferPointer<UInt8>, at start: Int) {
      var position = start
      while position < template.count {
        let byte = template[position]
        if TemplateTokenizer.isDelimiter(byte) { break }
        if byte == TemplateTokenizer.mark {
          // The byte behind a mark is a number, not a character.
          hasDigits = true
          isAllLetters = false
          isPlain = false
          position += 2
          continue
        }
        if byte &- 0x30 < 10 { hasDigits = true }
        let isLetter = (byte | 0x20) &- 0x61 < 26
        if !isLetter { isAllLetters = false }
        if !isLetter || (position > start && byte < 0x61) { isPlain = false }
        position += 1
      }
      range = start..<min(position, template.count)
      isMark = range.count == 2 && template[start] == TemplateTokenizer.mark
    }

    /// Whether what follows says that the word is a name: `word=`, `word:` or `"word":`.
    func isKey(in template: UnsafeBufferPointer<UInt8>) -> Bool {
      var next = range.upperBound
      if next < template.count, template[next] == 0x22 { next += 1 }
      return next < template.count && (template[next] == 0x3A || template[next] == 0x3D)
    }

    func tellsSeverity(in template: UnsafeBufferPointer<UInt8>) -> Bool {
      guard isAllLetters, range.count >= 4, range.count <= 16 else { return false }
      return !SeverityMarks(of: template[range]).isEmpty
    }
  }

  @inline(__always)
  private func keeps(
    _ word: Word, index: Int, in template: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    let isKept: Bool
    if self >= .form {
      isKept = false
    } else if word.isMark {
      isKept = true
    } else if self >= .withoutDigits, word.hasDigits {
      isKept = false
    } else if self >= .plainWords, !word.isPlain {
      isKept = word.isKey(in: template)
    } else {
      isKept =
        self < .keysAndBeginning || index < Self.leadingWords || word.isKey(in: template)
    }
    return isKept || word.tellsSeverity(in: template)
  }
}
