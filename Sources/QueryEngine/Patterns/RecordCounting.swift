import Columnar
import LogStorage

// Counts the records of a row group without putting their texts together. The template of a record
// hangs on its shape, on the entry that its main slot has, and on words that tell the severity:
//
//     row  shape  main entry      →  cluster
//     0    3      7 "took ▯ms"       (3, template 2)  → 0
//     1    3      9 "took ▯ms"       (3, template 2)  → 0
//     2    5      1 "started"        (5, template 0)  → 1
//
// An entry is tokenised once, when the first row has it, and so is a value of a slot that varies, until
// its form is no more than a token for its cluster. Columns of numbers are not read at all.

/// The records of a row group by what ``RecordTexts`` would make of them.
struct RecordCounting {
  /// Records of one template.
  struct Cluster {
    let shape: Int
    let marks: SeverityMarks
    let main: UInt32
    fileprivate let firstState: Int
    fileprivate(set) var count = 0
  }

  private let parts: RecordParts
  private var frames: [RecordFrame?]
  private var lanes: [SlotLane?]
  private var mainLanes: [SlotLane?]
  private var forms = FormTable()
  private var mains = FormTable()
  private var tokenizer = TemplateTokenizer()
  private var numbers = WordTable()
  private(set) var clusters: [Cluster] = []
  /// For each cluster and each of its joined slots the form of all values so far.
  private var states: [UInt32] = []

  /// Different from every form, and from `SlotLane.unknown`.
  private static let unset = UInt32.max - 1
  /// The cluster of rows that are texts.
  static let noCluster = UInt32.max

  init(_ parts: RecordParts) {
    self.parts = parts
    frames = Array(repeating: nil, count: parts.shapes.count)
    lanes = Array(repeating: nil, count: parts.columnCount)
    mainLanes = lanes
  }

  /// The cluster of each of some stored rows, ascending (`nil`: of all).
  mutating func count(_ rows: SelectionVector?) throws -> [UInt32] {
    let plan = try plan(rows)
    var clusterOf: [UInt32] = []
    clusterOf.reserveCapacity(rows?.count ?? parts.shapeOfRow.count)
    let views = (slots: lanes.map { $0?.view }, mains: mainLanes.map { $0?.view })
    var cursors = [Int32](repeating: 0, count: parts.columnCount)
    views.slots.withUnsafeBufferPointer { slots in
      views.mains.withUnsafeBufferPointer { mains in
        cursors.withUnsafeMutableBufferPointer { cursors in
          plan.withRows { shape, row, columns in
            if rows.map({ clusterOf.count < $0.count && Int($0[clusterOf.count]) == row }) ?? true {
              clusterOf.append(
                shape.isRecord
                  ? cluster(plan, shape, Views(slots: slots, mains: mains, cursors: cursors))
                  : Self.noCluster)
            }
            for column in columns { cursors[Int(column)] &+= 1 }
          }
        }
      }
    }
    // The views point into the lanes.
    withExtendedLifetime((lanes, mainLanes)) {}
    return clusterOf
  }

  /// The template of a cluster.
  ///
  /// - Returns: the forms of its slots.
  func template(of cluster: Cluster, into template: inout [UInt8]) -> [[UInt8]] {
    let frame = frames[cluster.shape]!
    template.removeAll(keepingCapacity: true)
    let main = frame.main == nil ? [] : mains[cluster.main]
    RecordTemplate.append(frame, cluster.marks, main: main, to: &template)
    let first = cluster.firstState
    return states[first..<first + frame.joined.count].map { forms[$0] }
  }

  // MARK: Rows

  private struct Views {
    let slots: UnsafeBufferPointer<SlotLane.View?>
    let mains: UnsafeBufferPointer<SlotLane.View?>
    let cursors: UnsafeMutableBufferPointer<Int32>
  }

  @inline(__always)
  private mutating func cluster(_ plan: RowPlan, _ shape: RowPlan.Shape, _ views: Views) -> UInt32 {
    var marks = shape.marks.rawValue
    for index in shape.marked {
      let column = Int(plan.marked[index])
      marks |= views.slots[column]!.marks(Int(views.cursors[column]))
    }
    var main: UInt32 = 0
    if shape.main >= 0 {
      let entry = views.mains[shape.main]!.entry(Int(views.cursors[shape.main]))
      main = views.mains[shape.main]!.forms[entry]
      if main == SlotLane.unknown { main = readMain(shape.main, entry) }
    }
    let key = UInt64(shape.number) << 48 | UInt64(marks) << 40 | UInt64(main)
    let number = Int(numbers.insert(key))
    if number == clusters.count {
      clusters.append(
        Cluster(
          shape: shape.number, marks: SeverityMarks(rawValue: marks), main: main,
          firstState: states.count))
      states += plan.initialStates[shape.states]
    }
    clusters[number].count &+= 1
    let first = clusters[number].firstState
    for index in shape.varying {
      let (column, place) = plan.varying[index]
      let state = states[first &+ Int(place)]
      if state == FormTable.token { continue }
      let view = views.slots[Int(column)]!
      let entry = view.entry(Int(views.cursors[Int(column)]))
      let form = view.forms[entry]
      if form != state { join(Int(column), entry, at: first &+ Int(place)) }
    }
    return UInt32(truncatingIfNeeded: number)
  }

  @inline(never)
  private mutating func readMain(_ column: Int, _ entry: Int) -> UInt32 {
    mainLanes[column]!.form(entry, &mains, &tokenizer)
  }

  @inline(never)
  private mutating func join(_ column: Int, _ entry: Int, at place: Int) {
    let form = lanes[column]!.form(entry, &forms, &tokenizer)
    let state = states[place]
    states[place] = state == Self.unset || state == form ? form : forms.join(state, form)
  }

  // MARK: Shapes

  /// What is done with the rows, shape by shape; lists of all shapes lie in common arrays.
  private struct RowPlan {
    struct Shape {
      let number: Int
      var isRecord = false
      /// Columns whose next value is that of the next row.
      var columns = 0..<0
      /// Column of the main slot, or −1.
      var main = -1
      var varying = 0..<0
      var marked = 0..<0
      var states = 0..<0
      /// What columns of one value tell.
      var marks: SeverityMarks = []
    }

    let shapeOfRow: [UInt16]
    var shapes: [Shape]
    var columns: [Int32] = []
    /// Columns of joined slots whose values differ, and which of the joined slots they are.
    var varying: [(column: Int32, place: Int32)] = []
    /// Of these the columns with words that tell the severity.
    var marked: [Int32] = []
    /// Forms of the joined slots before the first row.
    var initialStates: [UInt32] = []

    @inline(__always)
    func withRows(_ body: (Shape, Int, UnsafeBufferPointer<Int32>) -> Void) {
      columns.withUnsafeBufferPointer { columns in
        shapes.withUnsafeBufferPointer { shapes in
          for (row, number) in shapeOfRow.enumerated() {
            let shape = shapes[Int(number)]
            body(shape, row, UnsafeBufferPointer(rebasing: columns[shape.columns]))
          }
        }
      }
    }
  }

  private mutating func plan(_ rows: SelectionVector?) throws -> RowPlan {
    var isUsed = [Bool](repeating: rows == nil, count: parts.shapes.count)
    for row in rows ?? [] { isUsed[Int(parts.shapeOfRow[Int(row)])] = true }
    var plan = RowPlan(
      shapeOfRow: parts.shapeOfRow, shapes: parts.shapes.indices.map { RowPlan.Shape(number: $0) })
    // Shape 0 is that of texts.
    for index in parts.shapes.indices.dropFirst()
    where isUsed[index] && parts.shapes[index].rowCount > 0 {
      let frame = RecordFrame(key: parts.shapes[index].key)
      try add(index, frame, to: &plan)
      frames[index] = frame
    }
    for index in parts.shapes.indices {
      let first = plan.columns.count
      for column in parts.shapes[index].columns
      where lanes[column] != nil || mainLanes[column] != nil {
        plan.columns.append(Int32(column))
      }
      plan.shapes[index].columns = first..<plan.columns.count
    }
    return plan
  }

  private mutating func add(
    _ index: Int, _ frame: RecordFrame, to plan: inout RowPlan
  ) throws {
    let columns = parts.shapes[index].columns
    var shape = RowPlan.Shape(number: index, isRecord: true)
    if let main = frame.main {
      shape.main = columns[main]
      if mainLanes[shape.main] == nil {
        let values = try parts.values(ofColumn: shape.main, isExact: true)
        mainLanes[shape.main] = SlotLane(values, kind: .string, isMain: true)
      }
    }
    let (states, varying, marked) =
      (plan.initialStates.count, plan.varying.count, plan.marked.count)
    for (place, slot) in frame.joined.enumerated() {
      let column = columns[slot]
      let lane = try lane(column, frame.kinds[slot])
      if lane.isUniform {
        plan.initialStates.append(lane.form(0, &forms, &tokenizer))
        shape.marks.formUnion(SeverityMarks(rawValue: lane.view.marks(0)))
      } else {
        plan.initialStates.append(Self.unset)
        plan.varying.append((Int32(column), Int32(place)))
        if lane.hasMarks { plan.marked.append(Int32(column)) }
      }
    }
    shape.states = states..<plan.initialStates.count
    shape.varying = varying..<plan.varying.count
    shape.marked = marked..<plan.marked.count
    plan.shapes[index] = shape
  }

  private mutating func lane(_ column: Int, _ kind: SlotKind) throws -> SlotLane {
    if let known = lanes[column] { return known }
    let lane = SlotLane(
      try parts.values(ofColumn: column, isExact: false), kind: kind, isMain: false)
    lanes[column] = lane
    return lane
  }
}

/// Forms and their numbers.
private struct FormTable {
  static let token: UInt32 = 0

  private var table = ByteTable()
  private var forms: [[UInt8]] = []

  init() { _ = insert(SlotForm.token) }

  subscript(_ number: UInt32) -> [UInt8] { forms[Int(number)] }

  mutating func insert(_ form: [UInt8]) -> UInt32 { form.withUnsafeBufferPointer { insert($0) } }

  mutating func insert(_ form: UnsafeBufferPointer<UInt8>) -> UInt32 {
    let number = table.insert(form)
    if Int(number) == forms.count { forms.append(Array(form)) }
    return number
  }

  mutating func join(_ a: UInt32, _ b: UInt32) -> UInt32 {
    insert(SlotForm.join(self[a], self[b]))
  }
}

/// The values of a column with their forms, as far as somebody has asked for them.
private final class SlotLane {
  static let unknown = UInt32.max

  /// What the loop over rows reads, without reference counts. Valid while the lane is.
  struct View {
    /// Form of each entry, ``SlotLane/unknown`` until it is asked for.
    let forms: UnsafePointer<UInt32>
    fileprivate let codes: UnsafePointer<UInt16>?
    fileprivate let marksOfEntries: UnsafePointer<UInt8>?
    fileprivate let isUniform: Bool

    /// Entry of the value at a position, which the caller counts and so keeps below the count of values.
    @inline(__always)
    func entry(_ position: Int) -> Int {
      if isUniform { return 0 }
      return codes.map { Int($0[position]) } ?? position
    }

    @inline(__always)
    func marks(_ position: Int) -> UInt8 { marksOfEntries.map { $0[entry(position)] } ?? 0 }
  }

  private let kind: SlotKind
  private let isMain: Bool
  private let entries: StringVector
  private let forms: UnsafeMutableBufferPointer<UInt32>
  private let codes: UnsafeMutableBufferPointer<UInt16>?
  private let marks: UnsafeMutableBufferPointer<UInt8>?
  let view: View

  var isUniform: Bool { view.isUniform }
  /// Whether some value tells the severity.
  var hasMarks: Bool { marks != nil }

  init(_ values: SlotValues, kind: SlotKind, isMain: Bool) {
    self.kind = kind
    self.isMain = isMain
    entries = values.entries
    forms = .allocate(capacity: entries.count + 1)
    forms.initialize(repeating: Self.unknown)
    codes = values.codes.map(Self.copy)
    let found = isMain ? [] : Self.marks(entries, kind)
    marks = found.isEmpty ? nil : Self.copy(found)
    view = View(
      forms: UnsafePointer(forms.baseAddress!), codes: codes.map { UnsafePointer($0.baseAddress!) },
      marksOfEntries: marks.map { UnsafePointer($0.baseAddress!) }, isUniform: values.isUniform)
  }

  /// Memory that stays in place; one element more, so that there is always a base address.
  private static func copy<T: FixedWidthInteger>(_ array: [T]) -> UnsafeMutableBufferPointer<T> {
    let memory = UnsafeMutableBufferPointer<T>.allocate(capacity: array.count + 1)
    _ = memory.initialize(from: array)
    memory[array.count] = 0
    return memory
  }

  deinit {
    forms.deallocate()
    codes?.deallocate()
    marks?.deallocate()
  }

  /// What each entry tells; empty if none tells anything.
  private static func marks(_ entries: StringVector, _ kind: SlotKind) -> [UInt8] {
    guard kind == .string else { return [] }
    var marks: [UInt8] = []
    entries.bytes.withUnsafeBufferPointer { bytes in
      for entry in 0..<entries.count {
        let range = entries.range(entry)
        if range.count < 4 || range.count > 16 { continue }
        let found = SlotForm.marks(of: UnsafeBufferPointer(rebasing: bytes[range]), kind)
        if found.isEmpty { continue }
        if marks.isEmpty { marks = Array(repeating: 0, count: entries.count) }
        marks[entry] = found.rawValue
      }
    }
    return marks
  }

  /// The form of an entry.
  func form(
    _ entry: Int, _ table: inout FormTable, _ tokenizer: inout TemplateTokenizer
  ) -> UInt32 {
    if forms[entry] != Self.unknown { return forms[entry] }
    let number = entries.bytes.withUnsafeBufferPointer { bytes in
      let text = UnsafeBufferPointer(rebasing: bytes[entries.range(entry)])
      guard isMain else { return table.insert(SlotForm.form(of: text, kind, &tokenizer)) }
      tokenizer.tokenize(text)
      return tokenizer.withTemplate { table.insert($0) }
    }
    forms[entry] = number
    return number
  }
}
