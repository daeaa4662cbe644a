// Many texts at once. A text is made of constant pieces with values of columns between them; which pieces and columns, its
// *form* says: the shape of an event, the template of a message. Texts are written one after the other, each by the steps of
// its form, and each value is the next one of a *cursor*, which walks along a column:
//
//     form 0   {"level":" ␁ ","took": ␁ }      steps  (`{"level":"`, cursor 0) (`","took":`, cursor 1) (`}`, none)
//     form 1   {"level":" ␁ "}                 steps  (`{"level":"`, cursor 0) (`"}`, none)
//     codes    0 1 0                           cursor 0 gives the values 0 1 2 of level, cursor 1 the values 0 1 of took
//
// Values that are always the same are put into the pieces. How often each cursor moves is known from the codes
// beforehand, so that no value is looked for outside its column; how many bytes there will be is added up
// from the columns, and checked again with each copy.

/// Puts texts together from pieces and columns.
struct TextWeaver {
  private struct Step {
    /// The piece in front of the value.
    var start: UInt32
    var length: UInt32
    /// `none` behind the last value.
    var cursor: UInt32
    static let none = UInt32.max
  }

  private struct Cursor {
    var lane: RenderedColumn.Lane
    var position: Int
    /// Values that the column has.
    let limit: Int
  }

  private var text: [UInt8] = []
  private var steps: [Step] = []
  private var firstSteps: [Int] = []
  private var pieceByteCounts: [Int] = []
  private var cursors: [Cursor] = []
  private var columns: [RenderedColumn] = []

  /// Says that values of a column will be needed; each column once.
  mutating func add(_ column: RenderedColumn) { columns.append(column) }

  /// A cursor that starts at a value of a column.
  mutating func addCursor(_ column: RenderedColumn, at position: Int) -> Int {
    cursors.append(Cursor(lane: column.lane, position: position, limit: column.count))
    return cursors.count - 1
  }

  /// What stands in a slot of a form.
  enum Slot {
    case constant(UnsafeBufferPointer<UInt8>)
    case cursor(Int)
    /// Its texts are passed over, and nobody needs the column.
    case unread
  }

  /// Adds the next form.
  mutating func addForm(_ pieces: ShapePieces, slot: (Int) -> Slot) {
    firstSteps.append(steps.count)
    let formStart = text.count
    var start = text.count
    for i in 0..<pieces.slotCount {
      text.append(contentsOf: pieces.text[pieces.bounds[i]..<pieces.bounds[i + 1]])
      switch slot(i) {
      case .constant(let bytes): text.append(contentsOf: bytes)
      case .cursor(let cursor):
        addStep(from: start, UInt32(cursor))
        start = text.count
      case .unread: break
      }
    }
    let last = pieces.slotCount
    text.append(contentsOf: pieces.text[pieces.bounds[last]..<pieces.bounds[last + 1]])
    addStep(from: start, Step.none)
    pieceByteCounts.append(text.count - formStart)
  }

  /// Adds a form that no text has.
  mutating func addUnusedForm() {
    firstSteps.append(steps.count)
    steps.append(Step(start: 0, length: 0, cursor: Step.none))
    pieceByteCounts.append(0)
  }

  private mutating func addStep(from start: Int, _ cursor: UInt32) {
    steps.append(
      Step(
        start: UInt32(truncatingIfNeeded: start),
        length: UInt32(truncatingIfNeeded: text.count - start), cursor: cursor))
  }

  // MARK: All texts

  /// The texts of these forms, all values of all columns used up.
  ///
  /// - Throws: `DecodingFailure` if the columns have fewer values.
  func memory(forms codes: [UInt16]) throws(DecodingFailure) -> TextMemory {
    let memory = TextMemory(byteCapacity: try byteCapacity(codes), count: codes.count)
    try write(codes, nil, memory.bytes, memory.byteCapacity, memory.offsets)
    return memory
  }

  /// The same as arrays.
  func run(forms codes: [UInt16]) throws -> TextRun {
    let capacity = try byteCapacity(codes)
    return try run(codes, nil, count: codes.count, capacity: capacity)
  }

  /// The texts of some rows of these forms.
  ///
  /// - Parameter rows: ascending.
  /// - Throws: as ``memory(forms:)``
  func run(forms codes: [UInt16], rows: [UInt32]) throws -> TextRun {
    guard let last = rows.last else { return TextRun(offsets: [0], bytes: []) }
    let reached = rows.count == codes.count ? codes : Array(codes[...Int(last)])
    if rows.count == codes.count { return try run(forms: codes) }
    try checkCursors(reached)
    let capacity = try measure(reached, rows)
    return try run(reached, rows, count: rows.count, capacity: capacity)
  }

  private func run(
    _ codes: [UInt16], _ rows: [UInt32]?, count: Int, capacity: Int
  ) throws -> TextRun {
    var bytes: [UInt8] = []
    let offsets = try [UInt32](unsafeUninitializedCapacity: count + 1) { offsets, used in
      offsets[0] = 0
      bytes = try [UInt8](unsafeUninitializedCapacity: capacity + TextMemory.slack) {
        target, used in
        used = 0
        try write(codes, rows, target.baseAddress!, capacity, offsets.baseAddress!)
        used = Int(offsets[count])
      }
      used = count + 1
    }
    return TextRun(offsets: offsets, bytes: bytes)
  }

  /// Bytes of the texts of all rows, at most.
  private func byteCapacity(_ codes: [UInt16]) throws(DecodingFailure) -> Int {
    let counts = try checkCursors(codes)
    var total = columns.reduce(0) { $0 + $1.byteCount }
    for (count, bytes) in zip(counts, pieceByteCounts) { total += count * bytes }
    guard total < 1 << 32 else { throw DecodingFailure("texts of more than 4 GiB") }
    return total
  }

  /// How many texts have each form.
  ///
  /// - Throws: when a cursor would leave its column.
  @discardableResult
  private func checkCursors(_ codes: [UInt16]) throws(DecodingFailure) -> [Int] {
    var counts = [Int](repeating: 0, count: firstSteps.count)
    for code in codes { counts[Int(code)] &+= 1 }
    var ends = cursors.map(\.position)
    for form in counts.indices where counts[form] > 0 {
      var step = firstSteps[form]
      while steps[step].cursor != Step.none {
        ends[Int(steps[step].cursor)] += counts[form]
        step += 1
      }
    }
    guard zip(ends, cursors).allSatisfy({ $0 <= $1.limit }) else {
      throw DecodingFailure("texts of more values than their columns have")
    }
    return counts
  }

  /// Bytes of the texts of some rows.
  private func measure(_ codes: [UInt16], _ rows: [UInt32]) throws(DecodingFailure) -> Int {
    var cursors = cursors
    var total = 0
    var next = 0
    cursors.withUnsafeMutableBufferPointer { cursors in
      for (row, code) in codes.enumerated() {
        let isWanted = Int(rows[next]) == row
        if isWanted {
          total &+= pieceByteCounts[Int(code)]
          next &+= 1
        }
        var step = firstSteps[Int(code)]
        while steps[step].cursor != Step.none {
          let cursor = Int(steps[step].cursor)
          if isWanted { total &+= cursors[cursor].lane.text(cursors[cursor].position).count }
          cursors[cursor].position &+= 1
          step &+= 1
        }
      }
    }
    guard total < 1 << 32 else { throw DecodingFailure("texts of more than 4 GiB") }
    return total
  }

  /// Writes the texts and their offsets.
  ///
  /// No copy goes past `capacity` and the slack behind it, and cursors were checked to stay in their columns.
  private func write(
    _ codes: [UInt16], _ rows: [UInt32]?, _ target: UnsafeMutablePointer<UInt8>, _ capacity: Int,
    _ offsets: UnsafeMutablePointer<UInt32>
  ) throws(DecodingFailure) {
    var cursors = cursors
    let text = text + [UInt8](repeating: 0, count: TextMemory.slack)
    var fits = true
    text.withUnsafeBufferPointer { text in
      steps.withUnsafeBufferPointer { steps in
        firstSteps.withUnsafeBufferPointer { firstSteps in
          cursors.withUnsafeMutableBufferPointer { cursors in
            codes.withUnsafeBufferPointer { codes in
              let forms = Forms(
                text: text.baseAddress!, steps: steps.baseAddress!,
                firstSteps: firstSteps.baseAddress!, cursors: cursors.baseAddress)
              if let rows {
                fits = forms.write(codes, rows: rows, target, capacity, offsets)
              } else {
                fits = forms.write(codes, target, capacity, offsets)
              }
            }
          }
        }
      }
    }
    // The lanes point into the columns.
    withExtendedLifetime(columns) {}
    if !fits { throw DecodingFailure("texts longer than their columns") }
  }

  /// What the loop over the rows needs, without reference counts.
  private struct Forms {
    let text: UnsafePointer<UInt8>
    let steps: UnsafePointer<Step>
    let firstSteps: UnsafePointer<Int>
    let cursors: UnsafeMutablePointer<Cursor>?

    func write(
      _ codes: UnsafeBufferPointer<UInt16>, _ target: UnsafeMutablePointer<UInt8>, _ capacity: Int,
      _ offsets: UnsafeMutablePointer<UInt32>
    ) -> Bool {
      var end = 0
      for row in codes.indices {
        guard append(Int(codes[row]), to: target, &end, capacity) else { return false }
        offsets[row &+ 1] = UInt32(truncatingIfNeeded: end)
      }
      return true
    }

    func write(
      _ codes: UnsafeBufferPointer<UInt16>, rows: [UInt32],
      _ target: UnsafeMutablePointer<UInt8>, _ capacity: Int,
      _ offsets: UnsafeMutablePointer<UInt32>
    ) -> Bool {
      var end = 0
      var next = 0
      for row in codes.indices {
        if Int(rows[next]) == row {
          guard append(Int(codes[row]), to: target, &end, capacity) else { return false }
          next &+= 1
          offsets[next] = UInt32(truncatingIfNeeded: end)
        } else {
          var step = steps + firstSteps[Int(codes[row])]
          while step.pointee.cursor != Step.none {
            cursors.unsafelyUnwrapped[Int(step.pointee.cursor)].position &+= 1
            step += 1
          }
        }
      }
      return true
    }

    /// Appends one text, or gives `false` if there is no room for it.
    @inline(__always)
    private func append(
      _ form: Int, to target: UnsafeMutablePointer<UInt8>, _ end: inout Int, _ capacity: Int
    ) -> Bool {
      var step = steps + firstSteps[form]
      while true {
        let length = Int(step.pointee.length)
        guard length <= capacity &- end else { return false }
        copyShort(from: text + Int(step.pointee.start), to: target + end, count: length)
        end &+= length
        if step.pointee.cursor == Step.none { return true }
        let cursor = cursors.unsafelyUnwrapped + Int(step.pointee.cursor)
        let position = cursor.pointee.position
        cursor.pointee.position = position &+ 1
        let lane = cursor.pointee.lane
        let entry = lane.codes.map { Int($0[position]) } ?? position
        let start = Int(lane.offsets[entry])
        let count = Int(lane.offsets[entry &+ 1]) &- start
        guard count <= capacity &- end else { return false }
        copyShort(from: lane.bytes + start, to: target + end, count: count)
        end &+= count
        step += 1
      }
    }
  }
}
