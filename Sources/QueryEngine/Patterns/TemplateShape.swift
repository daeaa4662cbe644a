import Columnar

/// A template as words and what stands between them.
struct TemplateShape {
  /// What must be the same in all texts of a pattern.
  struct Form {
    /// The delimiters, with a mark byte in place of each word.
    var skeleton: [UInt8] = []
    /// Of a record its frame; empty for a text.
    var frame: [UInt8] = []
    /// Words in the slots of a record that tell its severity.
    var slotMarks: SeverityMarks = []

    /// Different for different forms.
    var bytes: [UInt8] {
      var bytes = [slotMarks.rawValue]
      bytes += frame
      RecordTemplate.endFrame(&bytes)
      return bytes + skeleton
    }
  }

  private(set) var words: [[UInt8]] = []
  private(set) var form = Form()
  private(set) var marks: SeverityMarks = []

  init(_ template: [UInt8]) {
    var main = template.indices
    if let record = template.withUnsafeBufferPointer({ RecordTemplate($0) }) {
      main = record.main
      form.frame = Array(template[record.frame])
      form.slotMarks = record.marks
      marks = record.marks.union(SeverityMarks(of: template[record.frame]))
    }
    marks.formUnion(SeverityMarks(of: template[main]))
    var position = main.lowerBound
    while position < main.upperBound {
      if TemplateTokenizer.isDelimiter(template[position]) {
        form.skeleton.append(template[position])
        position += 1
        continue
      }
      let start = position
      while position < main.upperBound, !TemplateTokenizer.isDelimiter(template[position]) {
        // The byte behind a mark is a number, not a character.
        position += template[position] == TemplateTokenizer.mark ? 2 : 1
      }
      words.append(Array(template[start..<min(position, main.upperBound)]))
      form.skeleton.append(TemplateTokenizer.mark)
    }
  }
}

// The tokens of a template are those of its slots, then those in its words. Where templates become
// one, a word that is not the same in all is a token from then on, and its values are the words:
//
//     user alice took ▯        words [user] [alice] [took] [▯]      values   –  –      –  {3 ms, 4 ms}
//     user bob took ▯                [user] [bob]   [took] [▯]               –  –      –  {5 ms}
//     user ▯Token took ▯             [user] [▯]     [took] [▯]               –  {alice, bob}  –  {3, 4, 5 ms}

/// The values of the tokens of a cluster.
struct ClusterTokens: Sendable {
  /// Of a record: those of its slots but the main one.
  private(set) var slots: ArraySlice<TokenValues> = []
  /// By word.
  private(set) var words: [[TokenValues]] = []

  init() {}

  init(_ shape: TemplateShape, _ tokens: [TokenValues]) {
    let slotCount = Self.marks(shape.form.frame).count { $0 != RecordMark.main }
    slots = tokens.prefix(slotCount)
    var rest = tokens.dropFirst(slotCount)
    words = shape.words.map { word in
      let count = Self.marks(word).count
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
  }

  /// As they stand in a template.
  var inOrder: [TokenValues] { Array(slots) + words.joined() }

  /// The second bytes of the marks in a text, but for escapes.
  private static func marks(_ bytes: [UInt8]) -> [UInt8] {
    var marks: [UInt8] = []
    var position = 0
    while position < bytes.count {
      if bytes[position] == TemplateTokenizer.mark, position + 1 < bytes.count {
        if bytes[position + 1] != 0 { marks.append(bytes[position + 1]) }
        position += 1
      }
      position += 1
    }
    return marks
  }

  /// Takes in those of a template that joins; a word that differs is a token from now on.
  ///
  /// - Parameters:
  ///   - counts: how many texts there are of each in each part of the window.
  ///   - texts: what values are numbers of.
  mutating func add(
    _ other: ClusterTokens, _ words: (own: [[UInt8]], other: [[UInt8]]),
    _ counts: (own: TokenParts.Counts, other: TokenParts.Counts), texts: inout ByteTable
  ) {
    for (index, values) in other.slots.enumerated() where index < slots.count {
      slots[slots.startIndex + index].add(values)
    }
    for index in self.words.indices {
      if words.own[index] == words.other[index] {
        for place in self.words[index].indices where place < other.words[index].count {
          self.words[index][place].add(other.words[index][place])
        }
      } else {
        becomeToken(index, words.own[index], counts.own, texts: &texts)
        var joining = other
        joining.becomeToken(index, words.other[index], counts.other, texts: &texts)
        self.words[index][0].add(joining.words[index][0])
      }
    }
  }

  /// Makes a word that is none yet a token.
  private mutating func becomeToken(
    _ index: Int, _ word: [UInt8], _ counts: TokenParts.Counts, texts: inout ByteTable
  ) {
    if word == SlotForm.token, !words[index].isEmpty { return }
    words[index] = [TokenValues(Self.shown(word), counts, texts: &texts)]
  }

  /// Follows a template that lost detail: words that became tokens.
  mutating func generalise(
    _ old: [[UInt8]], to new: [[UInt8]], _ counts: TokenParts.Counts, texts: inout ByteTable
  ) {
    for index in words.indices where index < new.count && old[index] != new[index] {
      becomeToken(index, old[index], counts, texts: &texts)
    }
  }

  /// A word with the names of types in place of tokens.
  private static func shown(_ word: [UInt8]) -> [UInt8] {
    var shown: [UInt8] = []
    var position = 0
    while position < word.count {
      if word[position] == TemplateTokenizer.mark, position + 1 < word.count {
        if let type = TokenType(rawValue: word[position + 1]) { shown += "<\(type.name)>".utf8 }
        position += 1
      } else {
        shown.append(word[position])
      }
      position += 1
    }
    return shown
  }
}
