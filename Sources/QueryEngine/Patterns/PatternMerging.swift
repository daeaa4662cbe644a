import Columnar

// `pattern` in two steps, after Drain (He, Zhu, Zheng, Lyu: Drain: An Online Log Parsing Approach with
// Fixed Depth Tree, ICWS 2017), which reads a stream and so depends on its order; this does not.
//
// 1. Each text becomes its exact template (TemplateTokenizer). Workers count templates row group by
//    row group; counts add up, and of the samples the earliest stay, so neither threads nor layout
//    can be seen in the result.
// 2. The templates, some hundred for a million texts, are taken in an order of their own: most
//    frequent first, equal counts by their bytes. Each joins the most similar cluster or founds one.
//
//     count  template                                 cluster
//     5      user alice logged in from ▯IP            A  user alice logged in from ▯IP
//     3      user bob logged in from ▯IP              A  user ▯Token logged in from ▯IP
//     2      disk ▯ID is full                         B  disk ▯ID is full
//
//     @pattern                                 @sampleCount
//     user <Token-1> logged in from <IP-2>     8
//     disk <ID-1> is full                      2
//
// Two texts can only be one pattern if they have the same delimiters at the same places (and so as
// many words), the same severity, and the same leading word: the first one that is not typed, and the
// first such behind a header, where there is one (`sshd[▯]: Failed` is never one with
// `sshd[▯]: Accepted`). This is Drain's tree of depth 4: length, leading word, leaf. Where leading
// words are very many (a name, say) they do not count. In a leaf at least half of the words that are
// not typed in both must be equal; words that differ become `<Token-n>`.
//
// Records (RecordFrame) are one pattern only if their frames are the same; what is said here of texts
// holds for their main slots.

/// A template with what is known of its texts.
struct PatternTemplate: Sendable {
  var bytes: [UInt8]
  var count: Int
  /// The earliest texts in order, and the counts over time.
  var details: TemplateTable.Details
}

/// A text that a pattern was made of.
struct PatternSample: Sendable {
  let time: Int64
  let sequence: UInt64
  let text: String

  static func precedes(_ a: PatternSample, _ b: PatternSample) -> Bool {
    (a.time, a.sequence) < (b.time, b.sequence)
  }

  /// How many are kept for each pattern.
  static let most = 5

  static func earliest(_ samples: [PatternSample]) -> [PatternSample] {
    samples.count < 2 ? samples : Array(samples.sorted(by: precedes).prefix(most))
  }
}

/// One row of the result.
struct FoundPattern: Sendable {
  var text: String
  var count: Int
  var severity: PatternSeverity
  var details: TemplateTable.Details
  /// The tokens that the text shows, if their values were kept.
  var tokens: [PatternToken] = []
}

/// How bad a pattern sounds.
enum PatternSeverity: String, Sendable {
  case fatal = "FATAL"
  case debug = "DEBUG"
  case error = "ERROR"
  case warn = "WARN"
  case info = "INFO"
}

/// Makes patterns of templates.
struct PatternMerging {
  /// A template as words and what stands between them.
  private struct Shape {
    var words: [[UInt8]] = []
    var form = Form()
    var marks: SeverityMarks = []
  }

  /// What must be the same in all texts of a pattern.
  private struct Form {
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

  private struct LeafKey: Hashable {
    /// Number of the form.
    var form: UInt32
    var severity: PatternSeverity
    var leading: [UInt8]
    var afterHeader: [UInt8]
  }

  private struct Cluster {
    var words: [[UInt8]]
    let form: Form
    var count: Int
    var marks: SeverityMarks
    var details: TemplateTable.Details
    var tokens: ClusterTokens
  }

  /// The values of the tokens of a cluster.
  private struct ClusterTokens {
    /// Of a record: those of its slots but the main one.
    var slots: ArraySlice<TokenValues> = []
    /// By word.
    var words: [[TokenValues]] = []

    init() {}

    init(_ shape: Shape, _ tokens: [TokenValues]) {
      let slotCount = Self.marks(shape.form.frame).count { $0 != RecordMark.main }
      slots = tokens.prefix(slotCount)
      var rest = tokens.dropFirst(slotCount)
      words = shape.words.map { word in
        let count = Self.marks(word).count
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
      }
    }

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

    /// Takes in those of a template that joins; a word that differs is a token from now on, and its
    /// values are the words.
    mutating func add(
      _ other: ClusterTokens, _ words: (own: [[UInt8]], other: [[UInt8]]),
      _ buckets: (own: [Int], other: [Int])
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
          var values =
            words.own[index] == SlotForm.token
            ? self.words[index].first ?? TokenValues()
            : TokenValues(Self.shown(words.own[index]), counts: TokenParts.counts(of: buckets.own))
          values.add(
            TokenValues(
              Self.shown(words.other[index]), counts: TokenParts.counts(of: buckets.other)))
          self.words[index] = [values]
        }
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

  /// More different leading words than this in texts of one form are no sign of different patterns.
  private static let leadingWords = 100

  private let keepsTokens: Bool
  private var clusters: [Cluster] = []
  private var leaves: [LeafKey: [Int]] = [:]
  private var forms = ByteTable()
  private var leading: [UInt32: Set<[UInt8]>] = [:]
  private var headed: [UInt32: Set<[UInt8]>] = [:]

  private init(keepsTokens: Bool) { self.keepsTokens = keepsTokens }

  /// The patterns of templates in any order: most frequent first, then by text.
  ///
  /// - Parameter keepsTokens: whether the templates bring the values of their tokens.
  static func patterns(
    of templates: [PatternTemplate], keepsTokens: Bool = false
  ) -> [FoundPattern] {
    var merging = PatternMerging(keepsTokens: keepsTokens)
    let ordered = templates.sorted { a, b in
      a.count != b.count
        ? a.count > b.count : a.bytes.lexicographicallyPrecedes(b.bytes)
    }
    var stop = StopCounter(every: 16)
    for template in ordered {
      if stop.isPassed() { break }
      merging.add(template)
    }
    return merging.finish()
  }

  private mutating func add(_ template: PatternTemplate) {
    let shape = Self.shape(of: template.bytes)
    let key = leafKey(shape)
    var best: (cluster: Int, equal: Int)?
    for cluster in leaves[key] ?? [] {
      guard let equal = Self.similarity(clusters[cluster].words, shape.words) else { continue }
      if equal > best?.equal ?? -1 { best = (cluster, equal) }
    }
    if let best {
      merge(shape, template, into: best.cluster)
    } else {
      leaves[key, default: []].append(clusters.count)
      clusters.append(
        Cluster(
          words: shape.words, form: shape.form, count: template.count, marks: shape.marks,
          details: template.details,
          tokens: keepsTokens ? ClusterTokens(shape, template.details.tokens) : ClusterTokens()))
      clusters[clusters.count - 1].details.tokens = []
    }
  }

  private mutating func merge(_ shape: Shape, _ template: PatternTemplate, into cluster: Int) {
    if keepsTokens {
      let words = (clusters[cluster].words, shape.words)
      let buckets = (clusters[cluster].details.buckets, template.details.buckets)
      clusters[cluster].tokens.add(
        ClusterTokens(shape, template.details.tokens), words, buckets)
    }
    for (index, word) in shape.words.enumerated() where clusters[cluster].words[index] != word {
      clusters[cluster].words[index] = SlotForm.token
    }
    clusters[cluster].marks.formUnion(shape.marks)
    clusters[cluster].count += template.count
    clusters[cluster].details.add(template.details)
    clusters[cluster].details.tokens = []
  }

  /// How many plain words are equal, or `nil` if they are too few: less than half.
  private static func similarity(_ a: [[UInt8]], _ b: [[UInt8]]) -> Int? {
    var equal = 0
    var total = 0
    for (one, other) in zip(a, b) {
      if one == other {
        if isTyped(one) { continue }
        equal += 1
      }
      total += 1
    }
    return equal * 2 >= total ? equal : nil
  }

  private static func isTyped(_ word: [UInt8]) -> Bool { word.contains(TemplateTokenizer.mark) }

  private static func shape(of template: [UInt8]) -> Shape {
    var shape = Shape()
    var main = template.indices
    if let record = template.withUnsafeBufferPointer({ RecordTemplate($0) }) {
      main = record.main
      shape.form.frame = Array(template[record.frame])
      shape.form.slotMarks = record.marks
      shape.marks = record.marks.union(SeverityMarks(of: template[record.frame]))
    }
    shape.marks.formUnion(SeverityMarks(of: template[main]))
    var position = main.lowerBound
    while position < main.upperBound {
      if TemplateTokenizer.isDelimiter(template[position]) {
        shape.form.skeleton.append(template[position])
        position += 1
        continue
      }
      let start = position
      while position < main.upperBound, !TemplateTokenizer.isDelimiter(template[position]) {
        // The byte behind a mark is a number, not a character.
        position += template[position] == TemplateTokenizer.mark ? 2 : 1
      }
      shape.words.append(Array(template[start..<min(position, main.upperBound)]))
      shape.form.skeleton.append(TemplateTokenizer.mark)
    }
    return shape
  }

  private mutating func leafKey(_ shape: Shape) -> LeafKey {
    let first = shape.words.first { !Self.isTyped($0) } ?? []
    let second = Self.wordBehindHeader(shape)
    let form = shape.form.bytes.withUnsafeBufferPointer { forms.insert($0) }
    return LeafKey(
      form: form, severity: shape.marks.severity,
      leading: Self.counted(first, in: &leading[form, default: []]),
      afterHeader: Self.counted(second, in: &headed[form, default: []]))
  }

  private static func counted(_ word: [UInt8], in known: inout Set<[UInt8]>) -> [UInt8] {
    if known.contains(word) { return word }
    guard known.count < leadingWords else { return SlotForm.token }
    known.insert(word)
    return word
  }

  /// The first plain word behind the first `: ` or `] `.
  private static func wordBehindHeader(_ shape: Shape) -> [UInt8] {
    var index = 0
    var isBehind = false
    let skeleton = shape.form.skeleton
    for (place, byte) in skeleton.enumerated() {
      if byte == TemplateTokenizer.mark {
        if isBehind, !isTyped(shape.words[index]) { return shape.words[index] }
        index += 1
      } else if byte == 0x20, place > 0, [0x3A, 0x5D].contains(skeleton[place - 1]) {
        isBehind = true
      }
    }
    return []
  }

  private struct TextKey: Hashable {
    var text: String
    var severity: PatternSeverity
  }

  /// The clusters as patterns; those that came to read the same, and are as severe, are one.
  private func finish() -> [FoundPattern] {
    var found: [FoundPattern] = []
    var places: [TextKey: Int] = [:]
    for cluster in clusters {
      var shown = ShownPattern()
      shown.append(cluster)
      let text = String(decoding: shown.text, as: UTF8.self)
      let severity = cluster.marks.union(SeverityMarks(of: text.utf8)).severity
      let key = TextKey(text: text, severity: severity)
      if let place = places[key] {
        found[place].count += cluster.count
        found[place].details.add(cluster.details)
        found[place].add(shown.tokens)
      } else {
        places[key] = found.count
        found.append(
          FoundPattern(
            text: text, count: cluster.count, severity: severity, details: cluster.details,
            tokens: shown.tokens))
      }
    }
    return found.sorted { a, b in
      if a.count != b.count { return a.count > b.count }
      return a.text != b.text
        ? a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
        : a.severity.rawValue < b.severity.rawValue
    }
  }

  /// A pattern as it is shown, with its tokens.
  private struct ShownPattern {
    var text: [UInt8] = []
    var tokens: [PatternToken] = []
    private var number = 0

    mutating func append(_ cluster: Cluster) {
      if cluster.form.frame.isEmpty {
        appendMain(of: cluster)
      } else {
        appendRecord(cluster)
      }
    }

    private mutating func appendMain(of cluster: Cluster) {
      var index = 0
      for byte in cluster.form.skeleton {
        guard byte == TemplateTokenizer.mark else {
          text.append(byte)
          continue
        }
        append(
          cluster.words[index],
          index < cluster.tokens.words.count ? cluster.tokens.words[index] : [])
        index += 1
      }
    }

    /// The frame, with what the values have in common in its slots.
    private mutating func appendRecord(_ cluster: Cluster) {
      let frame = cluster.form.frame
      var slots = cluster.details.slots[...]
      var values = cluster.tokens.slots
      var position = 0
      while position < frame.count {
        guard frame[position] == TemplateTokenizer.mark else {
          text.append(frame[position])
          position += 1
          continue
        }
        let type = frame[position + 1]
        if type == RecordMark.main {
          appendMain(of: cluster)
        } else if type == 0 {
          text.append(TemplateTokenizer.mark)
        } else {
          let form =
            RecordMark.isSlot(type)
            ? slots.popFirst() ?? SlotForm.token : [TemplateTokenizer.mark, type]
          append(
            form, values.popFirst().map { [$0] } ?? [], Self.field(before: position, in: frame))
        }
        position += 2
      }
    }

    /// The name that stands before a slot: `"status":▯` or `"status":"▯"`.
    private static func field(before slot: Int, in frame: [UInt8]) -> String? {
      var end = slot
      if end > 0, frame[end - 1] == UInt8(ascii: "\"") { end -= 1 }
      while end > 0, frame[end - 1] <= 0x20 { end -= 1 }
      guard end > 0, frame[end - 1] == UInt8(ascii: ":") else { return nil }
      end -= 1
      while end > 0, frame[end - 1] <= 0x20 { end -= 1 }
      guard end > 0, frame[end - 1] == UInt8(ascii: "\"") else { return nil }
      guard let start = frame[..<(end - 1)].lastIndex(of: UInt8(ascii: "\"")) else { return nil }
      return String(decoding: frame[(start + 1)..<(end - 1)], as: UTF8.self)
    }

    private mutating func append(
      _ word: [UInt8], _ values: [TokenValues], _ field: String? = nil
    ) {
      var rest = values[...]
      var position = 0
      while position < word.count {
        if word[position] == TemplateTokenizer.mark, position + 1 < word.count {
          if let type = TokenType(rawValue: word[position + 1]) {
            number += 1
            let name = "<\(type.name)-\(number)>"
            text += name.utf8
            if let values = rest.popFirst() {
              tokens.append(PatternToken(name: name, field: field, type: type, values: values))
            }
          } else {
            text.append(TemplateTokenizer.mark)
          }
          position += 2
        } else {
          text.append(word[position])
          position += 1
        }
      }
    }
  }
}

extension FoundPattern {
  /// Takes in the tokens of another cluster that reads the same.
  fileprivate mutating func add(_ others: [PatternToken]) {
    guard tokens.map(\.name) == others.map(\.name) else {
      tokens = []
      return
    }
    for index in tokens.indices { tokens[index].values.add(others[index].values) }
  }
}
