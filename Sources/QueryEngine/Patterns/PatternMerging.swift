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
  private struct LeafKey: Hashable {
    /// Number of the form.
    var form: UInt32
    var severity: PatternSeverity
    var leading: [UInt8]
    var afterHeader: [UInt8]
  }

  private struct Cluster {
    var words: [[UInt8]]
    let form: TemplateShape.Form
    var count: Int
    var marks: SeverityMarks
    var details: TemplateTable.Details
    var tokens: ClusterTokens
  }

  /// More different leading words than this in texts of one form are no sign of different patterns.
  private static let leadingWords = 100

  /// What values of tokens are numbers of; `nil` if they are not wanted.
  private var texts: ByteTable?
  private var clusters: [Cluster] = []
  private var leaves: [LeafKey: [Int]] = [:]
  private var forms = ByteTable()
  private var leading: [UInt32: Set<[UInt8]>] = [:]
  private var headed: [UInt32: Set<[UInt8]>] = [:]

  private init(texts: ByteTable?) { self.texts = texts }

  /// The patterns of templates in any order, most frequent first, then by text; with the values of their tokens.
  ///
  /// - Parameter texts: what the values are numbers of; words that become values are added. With `nil`
  ///   there are no tokens.
  /// - Throws: ``Stopped``.
  static func patterns(
    of templates: [PatternTemplate], texts: inout ByteTable?
  ) throws -> [FoundPattern] {
    var merging = PatternMerging(texts: texts)
    texts = nil
    defer { texts = merging.texts }
    var stop = StopCounter(every: 256)
    let ordered = try templates.sorted { a, b in
      try stop.check()
      if a.count != b.count { return a.count > b.count }
      return a.bytes.withUnsafeBufferPointer { a in
        b.bytes.withUnsafeBufferPointer { TextComparisonRule.order(a, $0) == .less }
      }
    }
    stop = StopCounter(every: 16)
    for template in ordered {
      try stop.check()
      merging.add(template)
    }
    return try merging.finish()
  }

  private mutating func add(_ template: PatternTemplate) {
    let shape = TemplateShape(template.bytes)
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
          tokens: texts == nil
            ? ClusterTokens() : ClusterTokens(shape, template.details.tokens)))
      clusters[clusters.count - 1].details.tokens = []
    }
  }

  private mutating func merge(
    _ shape: TemplateShape, _ template: PatternTemplate, into cluster: Int
  ) {
    if texts != nil {
      let words = (clusters[cluster].words, shape.words)
      let counts = (
        TokenParts.counts(of: clusters[cluster].details.buckets),
        TokenParts.counts(of: template.details.buckets)
      )
      clusters[cluster].tokens.add(
        ClusterTokens(shape, template.details.tokens), words, counts, texts: &texts!)
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

  private mutating func leafKey(_ shape: TemplateShape) -> LeafKey {
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
  private static func wordBehindHeader(_ shape: TemplateShape) -> [UInt8] {
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
    /// Bytes, as a `String` equals others that are written differently.
    var text: [UInt8]
    var severity: PatternSeverity
  }

  /// The clusters as patterns; those that came to read the same, and are as severe, are one.
  private func finish() throws -> [FoundPattern] {
    var found: [FoundPattern] = []
    var places: [TextKey: Int] = [:]
    var stop = StopCounter(every: 256)
    for cluster in clusters {
      try stop.check()
      var shown = ShownPattern()
      shown.append(cluster)
      let text = String(decoding: shown.text, as: UTF8.self)
      let severity = cluster.marks.union(SeverityMarks(of: text.utf8)).severity
      let key = TextKey(text: shown.text, severity: severity)
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
    return try found.sorted { a, b in
      try stop.check()
      if a.count != b.count { return a.count > b.count }
      let order = a.text.withUTF8Bytes { a in
        b.text.withUTF8Bytes { TextComparisonRule.order(a, $0) }
      }
      return order == .equal ? a.severity.rawValue < b.severity.rawValue : order == .less
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
