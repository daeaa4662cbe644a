import Columnar
import Synchronization

// What a query does with a row group, written down while it does it. `explain` lets the query itself work on a few row
// groups and reads here which chunks that took: the code that decides when a query runs is the code
// that is asked, and nothing has to guess what it would do.

/// Names a chunk in any row group: the same column of two row groups has the same name.
package struct ChunkName: Sendable, Hashable, CustomStringConvertible {
  /// What the chunk is, in a word.
  package enum Content: Sendable {
    case column, eventTimes, arrivalTimes, sequence, streams, shapes, shapeTexts, identifiers
    case identifierFilters
    /// Columns that few events have, read together.
    case rareValues
    /// Small columns that are read together.
    case pack
  }

  package let content: Content
  /// Display path of a column.
  package let path: String
  let kind: SlotKind
  let instance: UInt16

  init(_ chunk: RowGroupTable.Chunk) {
    content = Content(chunk.role)
    path = chunk.path
    kind = chunk.kind
    instance = chunk.instance
  }

  /// A pack of small columns.
  init(pack number: Int) {
    content = .pack
    path = ""
    kind = .text
    instance = UInt16(truncatingIfNeeded: number)
  }

  /// What kind of values a column of JSON has; events may have several under one path.
  package var valueKind: String {
    switch kind {
    case .string: "texts"
    case .number: "numbers"
    case .literal: "true, false, null"
    case .verbatim: "lists"
    case .text: "lines"
    }
  }

  package var description: String {
    switch content {
    case .column: path.isEmpty ? "texts of events that are no JSON" : path
    case .eventTimes: "times of the events"
    case .arrivalTimes: "times of arrival"
    case .sequence: "order of arrival"
    case .streams: "streams"
    case .shapes: "shape of each event"
    case .shapeTexts: "texts of the shapes"
    case .identifiers: "ids of \(instance) bytes"
    case .identifierFilters: "filter of ids of \(instance) bytes"
    case .rareValues: "rare columns of \(valueKind), read together"
    case .pack: "small columns, read together"
    }
  }
}

extension ChunkName.Content {
  init(_ role: RowGroupTable.Role) {
    self =
      switch role {
      case .column: .column
      case .eventTime: .eventTimes
      case .ingestionTime: .arrivalTimes
      case .sequence: .sequence
      case .streamCodes: .streams
      case .shapeCodes: .shapes
      case .shapeTexts: .shapeTexts
      case .identifierPool: .identifiers
      case .identifierFilter: .identifierFilters
      case .rareValues: .rareValues
      }
  }
}

/// What is stored under one chunk name in some row groups.
package struct ChunkTotal: Sendable {
  package var chunkCount = 0
  package var byteCount = 0
  package var encodings: Set<ColumnEncoding> = []

  package init() {}

  /// Chunks in packs and tables take no bytes of their own.
  mutating func add(_ chunk: RowGroupTable.Chunk) {
    chunkCount += 1
    if case .alone = chunk.place { byteCount += chunk.length }
    if chunk.role == .column, let encoding = chunk.encoding { encodings.insert(encoding) }
  }
}

extension ChunkTotal {
  mutating func add(_ pack: RowGroupTable.Pack) {
    chunkCount += 1
    byteCount += pack.length
  }
}

/// What one row group was asked for: chunk by chunk, step by step.
package final class ReadTrace: Sendable {
  /// One step of the query on the row group.
  package struct Step: Sendable {
    /// Chunks that were read first in this step, in order.
    package var chunks: [(name: ChunkName, encoding: ColumnEncoding?, byteCount: Int)] = []
    /// Whole texts that were put together.
    package var textCount = 0
    package var textByteCount = 0
    package var rowsBefore = 0
    package var rowsAfter = 0
    package var time = Duration.zero
  }

  private struct State {
    /// By the number of the filter; what comes behind the filters has ``ReadTrace/rest``.
    var steps: [Int: Step] = [:]
    var current = ReadTrace.rest
    var start = ContinuousClock.now
  }

  /// The number of what is neither filter.
  package static let rest = -1

  private let state = Mutex(State())

  /// Events of the row group that a query may see.
  package let rowCount: Int

  package init(rowCount: Int) { self.rowCount = rowCount }

  /// What was done, by the number of the filter.
  package var steps: [Int: Step] { state.withLock { $0.steps } }

  /// Says that a filter begins.
  package func begin(_ filter: Int, rows: Int) {
    state.withLock { state in
      state.current = filter
      state.steps[filter, default: Step()].rowsBefore += rows
      state.start = ContinuousClock.now
    }
  }

  /// Says that the filter has ended.
  package func end(rows: Int) {
    state.withLock { state in
      let time = ContinuousClock.now - state.start
      state.steps[state.current, default: Step()].rowsAfter += rows
      state.steps[state.current, default: Step()].time += time
      state.current = Self.rest
    }
  }

  func noteRead(_ name: ChunkName, _ encoding: ColumnEncoding?, byteCount: Int) {
    state.withLock { state in
      state.steps[state.current, default: Step()].chunks
        .append((name, name.content == .column ? encoding : nil, byteCount))
    }
  }

  func noteTexts(_ texts: StringVector) {
    state.withLock { state in
      state.steps[state.current, default: Step()].textCount += texts.count
      state.steps[state.current, default: Step()].textByteCount += texts.bytes.count
    }
  }
}
