import Columnar

/// A column of templates, decoded as far as the templates: the columns of the variables follow when a text is
/// needed, each by itself.
///
/// Exceptions are a template too: number 0 is one variable with nothing around it. Belongs to the reader of
/// its row group, and like it to one worker.
final class TemplateRun {
  /// Where a variable's values are.
  struct Slot {
    /// Index in `columns`.
    var column: Int
    /// Where the template's first value stands in that column.
    var first: Int
  }

  struct Template {
    var pieces: ShapePieces
    var slots: [Slot]
  }

  let count: Int
  let templates: [Template]
  /// How many texts have each template.
  let rowCounts: [Int]
  private let storedCodes: [UInt8]
  private var knownTemplates: [UInt16]?
  private var knownCodes: Codes?
  /// Codes that were gone through to tell where single texts stand.
  private var passedCount = 0
  private let columns: [VariableColumn]
  private var decoded: [ColumnData?]
  /// Of the decoder that has the run.
  var context: ColumnContext
  /// Texts without a template, with what their escapes mean.
  private var knownExceptions: StringVector?

  /// Which template each text has. Never changed; a class, because one reference is passed on faster than four arrays.
  final class Codes {
    /// Template of each text.
    let templates: [UInt16]
    /// For each text, how many texts of its template stand before it.
    let ordinals: [UInt32]
    /// The texts, template after template, and where each template's start.
    private let places: [UInt32]
    private let starts: [Int]

    init(templates: [UInt16], ordinals: [UInt32], places: [UInt32], starts: [Int]) {
      self.templates = templates
      self.ordinals = ordinals
      self.places = places
      self.starts = starts
    }

    func places(of template: Int) -> ArraySlice<UInt32> {
      places[starts[template]..<starts[template + 1]]
    }
  }

  /// A column of variables as it is stored.
  private struct VariableColumn {
    var alphabet: Alphabet
    var encoding: ColumnEncoding
    var bytes: [UInt8]
    var count: Int
    /// The template of whose texts the values are, if it is one.
    var template: Int?
  }

  /// Reads what ``TemplateEncoder`` wrote.
  init(_ reader: inout ByteReader, count: Int, context: ColumnContext) throws {
    self.context = context
    let decompressor = context.decompressor
    let ownColumnCount = try reader.count(limit: 65_536)
    let templateCount = try reader.count(limit: min(count, 65_534))
    var pieces = [ShapePieces(key: [TemplateSplitter.marker])]
    pieces += try Self.pieces(&reader, count: templateCount, decompressor: decompressor)
    self.count = count
    let rowCounts = try IntegerStream.decode(
      &reader, count: templateCount + 1, decompressor: decompressor)
    guard rowCounts.allSatisfy({ $0 >= 0 && $0 <= count }), rowCounts.reduce(0, &+) == count else {
      throw DecodingFailure("templates of \(rowCounts.reduce(0, &+)) texts where \(count) are")
    }
    self.rowCounts = rowCounts.map { Int($0) }
    storedCodes = Array(try reader.take(try reader.count(limit: reader.remaining)))
    let layout = try Layout(
      slotCounts: pieces.map(\.slotCount), rowCounts: self.rowCounts,
      ownColumnCount: ownColumnCount)
    templates = zip(pieces, layout.slots).map { Template(pieces: $0, slots: $1) }
    columns = try layout.columns.map { column in
      let alphabet = Alphabet(rawValue: try reader.byte())
      let number = try reader.byte()
      guard let encoding = ColumnEncoding(rawValue: number), encoding != .templates else {
        throw DecodingFailure("a variable of encoding \(number)")
      }
      let bytes = try reader.take(try reader.count(limit: reader.remaining))
      return VariableColumn(
        alphabet: alphabet, encoding: encoding, bytes: Array(bytes), count: column.count,
        template: column.template)
    }
    decoded = Array(repeating: nil, count: columns.count)
    fixedByteCount = storedByteCount()
  }

  /// How the columns of variables are stored.
  var variableEncodings: [ColumnEncoding] { columns.map(\.encoding) }

  /// Which template each text has, and where each stands among those of its template.
  ///
  /// - Throws: `DecodingFailure` if that is damaged.
  func codes() throws -> Codes {
    if let knownCodes { return knownCodes }
    let templates = try templateCodes()
    var starts = [0]
    for count in rowCounts { starts.append(starts[starts.count - 1] + count) }
    var next = starts
    var places = [UInt32](repeating: 0, count: count)
    let ordinals = [UInt32](unsafeUninitializedCapacity: count) { ordinals, used in
      // No template has more texts than it has places, as was checked when the codes were read.
      templates.withUnsafeBufferPointer { templates in
        places.withUnsafeMutableBufferPointer { places in
          next.withUnsafeMutableBufferPointer { next in
            starts.withUnsafeBufferPointer { starts in
              for i in templates.indices {
                let code = Int(templates[i])
                let place = next[code]
                places[place] = UInt32(truncatingIfNeeded: i)
                ordinals[i] = UInt32(truncatingIfNeeded: place &- starts[code])
                next[code] = place &+ 1
              }
            }
          }
        }
      }
      used = count
    }
    let codes = Codes(templates: templates, ordinals: ordinals, places: places, starts: starts)
    knownCodes = codes
    knownTemplates = nil
    return codes
  }

  /// Reads which template each text has.
  private func templateCodes() throws -> [UInt16] {
    if let known = knownTemplates ?? knownCodes?.templates { return known }
    let templates = try storedCodes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      return try CodeStream.decode(
        &reader, count: count, cardinality: rowCounts.count, decompressor: context.decompressor)
    }
    var counts = [Int](repeating: 0, count: rowCounts.count)
    for code in templates { counts[Int(code)] += 1 }
    guard counts == rowCounts else {
      throw DecodingFailure("templates whose codes do not add up to their counts")
    }
    knownTemplates = templates
    return templates
  }

  /// The template of a text, and how many texts of it stand before that one.
  ///
  /// For the first few texts that are asked for the codes between them and the nearer end are counted, which takes less than
  /// to tell for all.
  private func place(of i: Int) throws -> (template: Int, ordinal: Int) {
    if knownCodes == nil, passedCount < 4 * count {
      let templates = try templateCodes()
      let code = templates[i]
      let isNearEnd = i * 2 > count
      let passed = isNearEnd ? i..<count : 0..<i
      passedCount += passed.count
      let alike = templates.withUnsafeBufferPointer { templates in
        templates[passed].reduce(0) { $0 &+ ($1 == code ? 1 : 0) }
      }
      return (Int(code), isNearEnd ? rowCounts[Int(code)] - alike : alike)
    }
    let codes = try codes()
    return (Int(codes.templates[i]), Int(codes.ordinals[i]))
  }

  /// A column of variables, decoded.
  func column(_ index: Int) throws -> ColumnData {
    if let known = decoded[index] { return known }
    let column = columns[index]
    let context = context.narrowed { [unowned self] in
      try column.template.map { try codes().places(of: $0) } ?? []
    }
    let data = try column.bytes.withUnsafeBytes {
      try ColumnDecoder.decode(
        $0, encoding: column.encoding, count: column.count, context: context)
    }
    decoded[index] = data
    return data
  }

  /// Appends the text of value `i`.
  ///
  /// - Throws: `DecodingFailure` or `StorageError` if a column of its variables is damaged.
  func append(_ i: Int, to output: inout [UInt8]) throws {
    let (number, ordinal) = try place(of: i)
    let template = templates[number]
    try template.pieces.append(to: &output) { slot, output in
      let slot = template.slots[slot]
      try column(slot.column).appendText(slot.first + ordinal, to: &output)
    }
  }

  /// Bytes that it holds: as stored, and what was decoded so far.
  var byteCount: Int {
    var total = fixedByteCount + (knownTemplates == nil ? 0 : count * 2)
    if knownCodes != nil { total += count * 10 }
    for column in decoded { total += column?.byteCount ?? 0 }
    if let known = knownExceptions { total += known.bytes.count + known.offsets.count * 4 }
    return total
  }

  /// Bytes of what does not change, and of what searches made.
  private var fixedByteCount = 0

  private func storedByteCount() -> Int {
    var total = storedCodes.count
    for column in columns { total += column.bytes.count + 96 }
    for template in templates {
      total += template.pieces.text.count + template.slots.count * 24 + 128
    }
    return total
  }

  /// Drops decoded variables that hold on to other columns, and those that are whole texts.
  func dropBulk() {
    for index in decoded.indices {
      guard let column = decoded[index] else { continue }
      if case .reference = column {
        decoded[index] = nil
      } else if column.byteCount > max(1_024, columns[index].count * 12) {
        decoded[index] = nil
      }
    }
    if let known = knownExceptions, known.bytes.count > count * 4 { knownExceptions = nil }
  }

  // MARK: For searches

  func valueCount(ofColumn index: Int) -> Int { columns[index].count }

  /// What is known of the values of a template's variables, or of what their JSON escapes mean.
  func variables(of template: Int, meaningEscapes: Bool) -> [PieceSearch.Variable] {
    templates[template].slots.map {
      let alphabet = columns[$0.column].alphabet
      // An escape may mean any byte.
      return PieceSearch.Variable(
        alphabet: meaningEscapes && alphabet.mayHold(UInt8(ascii: "\\")) ? .all : alphabet,
        mayBeEmpty: false)
    }
  }

  /// Pieces with what their JSON escapes mean, `nil` for those where that is not decided by the pieces alone.
  private(set) lazy var meantPieces: [ShapePieces?] = templates.map { template in
    template.pieces.text.contains(UInt8(ascii: "\\"))
      ? template.pieces.unescaped() : template.pieces
  }

  /// Templates that texts have, but for exceptions, as a search passes over them.
  struct SearchLayout {
    var pieces: PieceLayout
    /// Which template each one in `pieces` is.
    var templates: [Int] = []
    /// Templates whose pieces do not tell what they mean.
    var undecided: [Int] = []
  }

  /// By the pieces as they are stored.
  private(set) lazy var storedLayout = searchLayout(meaningEscapes: false)

  /// By what their escapes mean.
  private(set) lazy var meantLayout = searchLayout(meaningEscapes: true)

  private func searchLayout(meaningEscapes: Bool) -> SearchLayout {
    var layout = SearchLayout(pieces: PieceLayout([]))
    var parts: [(pieces: ShapePieces, alphabets: [Alphabet])] = []
    for template in templates.indices.dropFirst() where rowCounts[template] > 0 {
      guard let pieces = meaningEscapes ? meantPieces[template] : templates[template].pieces else {
        layout.undecided.append(template)
        continue
      }
      layout.templates.append(template)
      let variables = variables(of: template, meaningEscapes: meaningEscapes)
      parts.append((pieces, variables.map(\.alphabet)))
    }
    layout.pieces = PieceLayout(parts)
    fixedByteCount += layout.pieces.byteCount + layout.templates.count * 8
    return layout
  }

  /// The bytes that texts may have.
  private(set) lazy var alphabet: Alphabet = {
    var result: Alphabet = []
    for template in templates { result.formUnion(Alphabet(of: template.pieces.text)) }
    for column in columns { result.formUnion(column.alphabet) }
    return result
  }()

  /// The texts without a template, in their order.
  ///
  /// - Throws: `DecodingFailure` if they are damaged.
  func exceptions(meaningEscapes: Bool) throws -> StringVector {
    guard rowCounts[0] > 0 else { return StringVector() }
    if meaningEscapes, let knownExceptions { return knownExceptions }
    var run = TextRun(offsets: [0], bytes: [])
    let column = try column(0)
    if case .texts(let texts) = column {
      run = texts
    } else {
      for i in 0..<rowCounts[0] {
        try column.appendText(i, to: &run.bytes)
        run.offsets.append(UInt32(run.bytes.count))
      }
    }
    guard meaningEscapes else { return StringVector(offsets: run.offsets, bytes: run.bytes) }
    let meant = JSONEscapes.decoded(run)
    let result = StringVector(offsets: meant.offsets, bytes: meant.bytes)
    knownExceptions = result
    return result
  }

  // MARK: Many texts

  /// All texts, end to end. Variables are rendered column by column first; then texts are written in their order.
  func texts() throws -> TextRun { try weaver().run(forms: codes().templates) }

  /// The same in memory of their own.
  func memory() throws -> TextMemory { try weaver().memory(forms: codes().templates) }

  private func weaver() throws -> TextWeaver {
    let rendered = try columns.indices.map {
      try RenderedColumn(column($0), count: columns[$0].count)
    }
    var weaver = TextWeaver()
    for column in rendered where column.constant == nil { weaver.add(column) }
    for (template, count) in zip(templates, rowCounts) {
      guard count > 0 else {
        weaver.addUnusedForm()
        continue
      }
      let slots = template.slots.map { slot -> TextWeaver.Slot in
        let column = rendered[slot.column]
        if let text = column.constant { return .constant(text) }
        return .cursor(weaver.addCursor(column, at: slot.first))
      }
      weaver.addForm(template.pieces) { slots[$0] }
    }
    // The texts of constants lie there until all forms have them.
    withExtendedLifetime(rendered) {}
    return weaver
  }

  /// The texts at these positions, ascending.
  ///
  /// Few are put together one by one; of many, those of each template together, and variables
  /// of other templates are not even decoded.
  func texts(at positions: [UInt32]) throws -> TextRun {
    if positions.count == count { return try texts() }
    if positions.count < 16 { return try texts(positions.count) { Int(positions[$0]) } }
    let codes = try codes()
    var starts = [Int](repeating: 0, count: templates.count + 1)
    for position in positions { starts[Int(codes.templates[Int(position)]) + 1] += 1 }
    for template in templates.indices { starts[template + 1] += starts[template] }
    var next = starts
    var places = [UInt32](repeating: 0, count: positions.count)
    var ordinals = places
    for (k, position) in positions.enumerated() {
      let template = Int(codes.templates[Int(position)])
      places[next[template]] = UInt32(truncatingIfNeeded: k)
      ordinals[next[template]] = codes.ordinals[Int(position)]
      next[template] += 1
    }
    return try texts(positions.count) { template in
      let range = starts[template]..<starts[template + 1]
      return (places[range], ordinals[range])
    }
  }

  /// For some texts of a template where each comes in the output, and which of the template's texts
  /// it is.
  private typealias Selection = (places: ArraySlice<UInt32>, ordinals: ArraySlice<UInt32>)

  /// The values of one variable in the texts of a template: lane and number of the first.
  private typealias Values = (lane: RenderedColumn.Lane, first: Int)

  private func texts(_ count: Int, _ selection: (Int) -> Selection) throws -> TextRun {
    var rendered: [RenderedColumn] = []
    var whole = [Int?](repeating: nil, count: columns.count)
    var values = [[Values]](repeating: [], count: templates.count)
    for number in templates.indices {
      let selected = selection(number)
      if selected.places.isEmpty { continue }
      for slot in templates[number].slots {
        // Of few texts only their own values are rendered.
        let ordinals = selected.ordinals
        if ordinals.count * 4 < columns[slot.column].count, whole[slot.column] == nil {
          rendered.append(
            try RenderedColumn(column(slot.column), at: ordinals.map { slot.first + Int($0) }))
          values[number].append((rendered.last!.lane, -1))
        } else {
          if whole[slot.column] == nil {
            whole[slot.column] = rendered.count
            rendered.append(
              try RenderedColumn(column(slot.column), count: columns[slot.column].count))
          }
          values[number].append((rendered[whole[slot.column]!].lane, slot.first))
        }
      }
    }
    let offsets = try offsets(count, selection, values)
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(offsets[count])) { target, used in
      for template in templates.indices {
        let selected = selection(template)
        if selected.places.isEmpty { continue }
        write(templates[template].pieces, selected, values[template], offsets, to: target)
      }
      used = Int(offsets[count])
    }
    // The lanes point into the columns.
    withExtendedLifetime(rendered) {}
    return TextRun(offsets: offsets, bytes: bytes)
  }

  /// Where each text starts, and the end of the last.
  private func offsets(
    _ count: Int, _ selection: (Int) -> Selection, _ values: [[Values]]
  ) throws -> [UInt32] {
    var offsets = [UInt32](repeating: 0, count: count + 1)
    for (number, template) in templates.enumerated() {
      let selected = selection(number)
      for place in selected.places { offsets[Int(place) + 1] = UInt32(template.pieces.text.count) }
      for values in values[number] {
        for (k, place) in selected.places.enumerated() {
          let length = values.lane.text(Self.index(of: k, values, selected)).count
          offsets[Int(place) &+ 1] &+= UInt32(truncatingIfNeeded: length)
        }
      }
    }
    var total: UInt64 = 0
    for i in 1..<offsets.count {
      total += UInt64(offsets[i])
      guard total < 1 << 32 else { throw DecodingFailure("texts of more than 4 GiB") }
      offsets[i] = UInt32(total)
    }
    return offsets
  }

  /// Where the value of text `k` of a selection stands in its lane.
  @inline(__always)
  private static func index(of k: Int, _ values: Values, _ selected: Selection) -> Int {
    if values.first < 0 { return k }
    let ordinals = selected.ordinals
    return values.first &+ Int(ordinals[ordinals.startIndex &+ k])
  }

  /// Writes the texts of a template.
  ///
  /// The places differ from those of all other templates, and the length of a text is the difference of two
  /// offsets, which was added up from the same pieces and values: each copy is in bounds.
  private func write(
    _ pieces: ShapePieces, _ selected: Selection, _ values: [Values], _ offsets: [UInt32],
    to target: UnsafeMutableBufferPointer<UInt8>
  ) {
    guard let base = target.baseAddress else { return }
    pieces.text.withUnsafeBufferPointer { text in
      pieces.bounds.withUnsafeBufferPointer { bounds in
        values.withUnsafeBufferPointer { values in
          for (k, place) in selected.places.enumerated() {
            var end = UnsafeMutableRawPointer(base + Int(offsets[Int(place)]))
            for i in values.indices {
              end = copyBytes(text.baseAddress, bounds[i], bounds[i &+ 1], to: end)
              let value = values[i].lane.text(Self.index(of: k, values[i], selected))
              end = copyBytes(value.baseAddress, 0, value.count, to: end)
            }
            _ = copyBytes(
              text.baseAddress, bounds[values.count], bounds[values.count &+ 1], to: end)
          }
        }
      }
    }
  }

  /// Copies `base[start..<end]` to a place that has room for it, which the caller proves, and gives the place behind.
  @inline(__always)
  private func copyBytes(
    _ base: UnsafePointer<UInt8>?, _ start: Int, _ end: Int, to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    guard end > start, let base else { return target }
    target.copyMemory(from: base + start, byteCount: end &- start)
    return target + (end &- start)
  }

  /// The texts at `count` positions; a negative position gives an empty text.
  func texts(_ count: Int, _ position: (Int) -> Int) throws -> TextRun {
    var run = TextRun(offsets: [0], bytes: [])
    run.offsets.reserveCapacity(count + 1)
    for i in 0..<count {
      let place = position(i)
      if place >= 0 { try append(place, to: &run.bytes) }
      run.offsets.append(UInt32(run.bytes.count))
    }
    return run
  }

  private static func pieces(
    _ reader: inout ByteReader, count: Int, decompressor: Decompressor
  ) throws(DecodingFailure) -> [ShapePieces] {
    let lengths = try IntegerStream.decode(&reader, count: count, decompressor: decompressor)
    var total = 0
    for length in lengths {
      guard length >= 0, length < 1 << 31 else { throw DecodingFailure("a length of \(length)") }
      total += Int(length)
    }
    guard total < 1 << 31 else { throw DecodingFailure("templates of more than 2 GiB") }
    let text = try reader.stream(limit: total, decompressor: decompressor)
    guard text.count == total else { throw DecodingFailure("templates of the wrong size") }
    var start = 0
    return lengths.map { length in
      defer { start += Int(length) }
      return ShapePieces(key: text[start..<start + Int(length)])
    }
  }

  /// Which column each variable is in, worked out from the counts as it was when writing.
  private struct Layout {
    struct Column {
      var count: Int
      /// The template whose texts the values belong to, if it is one.
      var template: Int?
    }

    /// In the order in which they are stored: exceptions, shared, then the others.
    private(set) var columns: [Column] = []
    /// Of each template.
    private(set) var slots: [[Slot]] = []

    init(slotCounts: [Int], rowCounts: [Int], ownColumnCount: Int) throws(DecodingFailure) {
      if rowCounts[0] > 0 { columns.append(Column(count: rowCounts[0], template: 0)) }
      slots.append([Slot(column: 0, first: 0)])
      let shared = columns.count
      var sharedCount = 0
      for template in 1..<max(rowCounts.count, 1) where rowCounts[template] < ownColumnCount {
        sharedCount += slotCounts[template] * rowCounts[template]
      }
      guard sharedCount < 1 << 31 else { throw DecodingFailure("too many variables") }
      if sharedCount > 0 { columns.append(Column(count: sharedCount, template: nil)) }
      var nextShared = 0
      for template in 1..<max(rowCounts.count, 1) {
        let count = rowCounts[template]
        slots.append(
          (0..<slotCounts[template]).map { _ in
            if count >= ownColumnCount {
              columns.append(Column(count: count, template: template))
              return Slot(column: columns.count - 1, first: 0)
            }
            defer { nextShared += count }
            return Slot(column: shared, first: nextShared)
          })
      }
    }
  }
}
