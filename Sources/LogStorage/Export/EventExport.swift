package import Columnar

/// Gives the events of a log group back in one total order, within a bound of memory.
///
/// The order depends on the events alone, not on segments or merges: by time and, of equal times, by
/// arrival; or by arrival, which gives a file back line for line as it was read. It is made by a merge of row
/// groups, each opened when the merge reaches its first event:
///
///     waiting   C from 8            open   A  1 2 3 9       take 1 2 3 of A, 4 5 of B;
///                                          B  4 5           open C; take 8 of C, 9 of A
///
/// An open row group holds 20 bytes for each of its rows, and texts of a *page* of rows only. Pages share
/// a fixed number of bytes: the more row groups overlap, the smaller are pages, and the more
/// often a row group is decoded again. Row groups of one load hardly overlap, so usually each is
/// decoded once.
package struct EventExport {
  /// The order of events.
  package enum Order: Sendable {
    /// By event time; events of equal times by arrival.
    case time
    /// As the events came in.
    case arrival
  }

  /// Texts of consecutive events with what belongs to them.
  package struct Page {
    /// In the order of the row group.
    package fileprivate(set) var texts: StringVector
    package fileprivate(set) var times: [Int64]
    package fileprivate(set) var ingestionTimes: [Int64]
    package fileprivate(set) var sequences: [UInt64]
    package fileprivate(set) var streams: [String]
    package fileprivate(set) var streamOf: [UInt16]
    /// For each place of the output the place in the arrays above.
    package fileprivate(set) var places: [Int]
  }

  /// What was given back.
  package struct Outcome: Sendable {
    package var eventCount = 0
    package var byteCount = 0
    /// Parts that could not be read; they are missing from the output.
    package var damagedParts: [String] = []
  }

  private let snapshot: Snapshot
  private let request: ScanRequest
  private let stream: String?
  private let order: Order
  private let pageByteCount: Int

  /// - Parameters:
  ///   - stream: only events of this stream; `nil` for all.
  ///   - pageByteCount: bytes of texts that all open row groups may hold, about.
  package init(
    _ snapshot: Snapshot, request: ScanRequest, stream: String? = nil, order: Order = .time,
    pageByteCount: Int = 64 << 20
  ) {
    self.snapshot = snapshot
    self.request = request
    self.stream = stream
    self.order = order
    self.pageByteCount = pageByteCount
  }

  /// Hands out all events: pages, and the places in each whose turn has come.
  ///
  /// - Throws: `StorageError` for an unknown group, or what `sink` throws.
  package func run(_ sink: (Page, Range<Int>) throws -> Void) throws -> Outcome {
    var merge = try Merge(self)
    while let index = merge.smallest() {
      do {
        try merge.cursors[index].loadPage(byteCount: pageByteCount / merge.cursors.count)
      } catch let error as StorageError {
        merge.giveUp(index, error)
        continue
      }
      let range = merge.nextRun(of: index)
      let page = merge.cursors[index].page!
      merge.outcome.eventCount += range.count
      for place in range { merge.outcome.byteCount += page.texts.range(page.places[place]).count }
      try sink(page, range)
      merge.advance(index, to: range.upperBound)
    }
    return merge.outcome
  }

  /// Where an event stands in the output: two numbers that sort it.
  fileprivate typealias Key = (UInt64, UInt64)

  /// A row group whose turn has not come.
  private struct Part {
    var first: Key
    var candidate: ScanPlan.Candidate
    var source: any RowGroupSource
    var index: Int

    var entry: RowGroupEntry { source.rowGroups[index] }
  }

  private struct Merge {
    private let order: Order
    private let stream: String?
    /// The next one last.
    private var waiting: [Part] = []
    var cursors: [Cursor] = []
    var outcome = Outcome()

    init(_ export: EventExport) throws {
      order = export.order
      stream = export.stream
      let snapshot = export.snapshot
      let plan = try ScanPlan(export.request, snapshot.view, now: snapshot.now)
      outcome.damagedParts = plan.statistics.damagedParts
      for candidate in plan.candidates {
        let record = candidate.segment
        do {
          let source: any RowGroupSource
          if let chunk = candidate.chunk {
            source = chunk
          } else {
            source = try snapshot.store.cache.open(record) { _ in }
          }
          for (index, entry) in source.rowGroups.enumerated() {
            if let window = candidate.window,
              entry.maxTime < window.lowerBound || entry.minTime > window.upperBound
            {
              continue
            }
            let first: Key =
              switch order {
              case .time: (EventExport.ascending(entry.minTime), 0)
              case .arrival: (entry.minSequence &+ entry.sequenceBase &+ record.sequenceBase, 0)
              }
            waiting.append(Part(first: first, candidate: candidate, source: source, index: index))
          }
        } catch let error as StorageError {
          note(candidate, record.rowCount, record.minTime, record.maxTime, error)
        }
      }
      waiting.sort {
        ($1.first.0, $1.first.1, $1.candidate.segment.id, $1.index)
          < ($0.first.0, $0.first.1, $0.candidate.segment.id, $0.index)
      }
    }

    /// Opens the row groups whose turn has come; the cursor whose next event comes first.
    mutating func smallest() -> Int? {
      while true {
        let smallest = cursors.indices.min { cursors[$0].head < cursors[$1].head }
        guard let next = waiting.last,
          smallest.map({ next.first <= cursors[$0].head }) ?? true
        else { return smallest }
        waiting.removeLast()
        do {
          let cursor = try Cursor(
            next.source.handle(next.index) { _ in }, next.candidate, order: order, stream: stream)
          if !cursor.isAtEnd { cursors.append(cursor) }
        } catch let error as StorageError {
          note(
            next.candidate, UInt64(next.entry.rowCount), next.entry.minTime, next.entry.maxTime,
            error)
        } catch {
          preconditionFailure("reading row groups throws StorageError only, not \(error)")
        }
      }
    }

    /// The places of the cursor's page that come before everything else.
    func nextRun(of index: Int) -> Range<Int> {
      var bound: Key = (.max, .max)
      for (other, cursor) in cursors.enumerated() where other != index && cursor.head < bound {
        bound = cursor.head
      }
      if let next = waiting.last, next.first < bound { bound = next.first }
      return cursors[index].run(before: bound)
    }

    mutating func advance(_ index: Int, to place: Int) {
      cursors[index].advance(to: place)
      if cursors[index].isAtEnd { cursors.remove(at: index) }
    }

    /// Drops a cursor whose texts turned out to be damaged.
    mutating func giveUp(_ index: Int, _ error: StorageError) {
      let cursor = cursors.remove(at: index)
      let entry = cursor.handle.entry
      note(
        cursor.candidate, UInt64(cursor.remainingCount), entry.minTime, entry.maxTime, error)
    }

    private mutating func note(
      _ candidate: ScanPlan.Candidate, _ rows: UInt64, _ minTime: Int64, _ maxTime: Int64,
      _ error: StorageError
    ) {
      outcome.damagedParts.append(
        "log group '\(candidate.logGroup)', \(rows) events from \(Day.timeText(minTime)) "
          + "to \(Day.timeText(maxTime)): \(error.message)")
    }
  }

  /// Unsigned numbers that sort as the signed ones do.
  fileprivate static func ascending(_ time: Int64) -> UInt64 {
    UInt64(bitPattern: time) ^ (1 << 63)
  }
}

/// An open row group of an export: the keys of all its events, and the texts of some.
private struct Cursor {
  let handle: RowGroupHandle
  let candidate: ScanPlan.Candidate
  /// Keys in the order of the output …
  private var keys: [EventExport.Key]
  /// … and the row of each.
  private var rows: [UInt32]
  private(set) var page: EventExport.Page?
  /// The key of the page's first event.
  private var pageStart = 0
  private var next = 0

  init(
    _ handle: RowGroupHandle, _ candidate: ScanPlan.Candidate, order: EventExport.Order,
    stream: String?
  ) throws {
    self.handle = handle
    self.candidate = candidate
    let reader = try Self.reader(handle, candidate)
    let times = try reader.timestamps()
    let sequences = try reader.sequenceNumbers()
    var chosen = reader.visibleRows.map { UInt32($0) }
    if let stream { chosen = try Self.rows(chosen, of: stream, reader) }
    let key: (UInt32) -> EventExport.Key =
      switch order {
      case .time: { (EventExport.ascending(times[Int($0)]), sequences[Int($0)]) }
      case .arrival: { (sequences[Int($0)], 0) }
      }
    if order == .arrival { chosen.sort { key($0) < key($1) } }
    rows = chosen
    keys = chosen.map(key)
  }

  private static func reader(
    _ handle: RowGroupHandle, _ candidate: ScanPlan.Candidate
  ) throws -> EncodedRowGroupReader {
    try EncodedRowGroupReader(
      handle: handle, logGroup: candidate.logGroup, ordinal: 0, boundOfRest: nil,
      window: candidate.window, sequenceBase: candidate.segment.sequenceBase)
  }

  private static func rows(
    _ rows: [UInt32], of stream: String, _ reader: EncodedRowGroupReader
  ) throws -> [UInt32] {
    let (names, codes) = try streams(reader)
    guard let wanted = names.firstIndex(of: stream) else { return [] }
    return rows.filter { Int(codes[Int($0)]) == wanted }
  }

  /// Names of streams, and the number of each row's.
  private static func streams(
    _ reader: EncodedRowGroupReader
  ) throws -> (names: [String], codes: [UInt16]) {
    let names = reader.handle.table.streams
    if case .dictionary(let dictionary) = try reader.streams() { return (names, dictionary.codes) }
    return (names, [UInt16](repeating: 0, count: reader.rowCount))
  }

  var isAtEnd: Bool { next == rows.count }
  var head: EventExport.Key { keys[next] }
  var remainingCount: Int { rows.count - next }

  /// Reads the texts from the next event on, unless they are there.
  mutating func loadPage(byteCount: Int) throws {
    if let page, next < pageStart + page.places.count { return }
    page = nil
    let perRow = max(1, Int(handle.entry.rawByteCount) / max(1, Int(handle.entry.rowCount)))
    let count = min(rows.count - next, max(256, byteCount / perRow))
    // Texts are read in ascending order of their rows, whatever order they go out in.
    let wanted = Array(rows[next..<next + count])
    let order = wanted.indices.sorted { wanted[$0] < wanted[$1] }
    let ascending = order.map { wanted[$0] }
    var places = [Int](repeating: 0, count: count)
    for (place, output) in order.enumerated() { places[output] = place }
    let reader = try Self.reader(handle, candidate)
    let (times, arrivals) = (try reader.timestamps(), try reader.ingestionTimes())
    let (sequences, (names, codes)) = (try reader.sequenceNumbers(), try Self.streams(reader))
    page = EventExport.Page(
      texts: try reader.messages(ascending), times: ascending.map { times[Int($0)] },
      ingestionTimes: ascending.map { arrivals[Int($0)] },
      sequences: ascending.map { sequences[Int($0)] }, streams: names,
      streamOf: ascending.map { codes[Int($0)] }, places: places)
    pageStart = next
  }

  /// Places of the page from the next event on, as far as their keys lie before `bound`.
  func run(before bound: EventExport.Key) -> Range<Int> {
    let end = pageStart + (page?.places.count ?? 0)
    var last = next + 1
    while last < end, keys[last] < bound { last += 1 }
    return (next - pageStart)..<(last - pageStart)
  }

  mutating func advance(to place: Int) {
    next = pageStart + place
    if next == pageStart + (page?.places.count ?? 0) { page = nil }
  }
}
