import Synchronization

/// Files and streams as the events of a query, with no store.
///
/// Each block of an input becomes a row group in memory, encoded as in a segment but without compression, is worked
/// on and dropped: memory does not grow with the input. Row groups come in the order of the inputs, which says
/// nothing about time, so an ordered scan has to read everything.
package final class FileEventSource: EventSource {
  /// What an input is called in results, and how it is read.
  package struct Options: Sendable {
    package var timestampField: String?
    /// Time of arrival, ms.
    package var now: Int64
    package var rowsPerRowGroup = StorageLimits.rowsPerRowGroup
    /// What is known to be missing from the inputs; told with the first scan.
    package var damagedParts: [String] = []

    package init(now: Int64) { self.now = now }
  }

  private let origins: [InputStream.Origin]
  private let options: Options
  /// Faults of inputs and records left out, gathered by scans.
  private let findings = FindingsLog()

  /// What reading the inputs brought to light.
  package struct Findings: Sendable {
    package var faults: [StorageError] = []
    package var tooLongCount = 0
    package var cutOffCount = 0
    package var wrapperMemberCount = 0
    package var withoutTimeCount = 0
    package var textEventCount = 0
    package var emptyLines: UInt64 = 0
  }

  package init(_ origins: [InputStream.Origin], options: Options) {
    self.origins = origins
    self.options = options
  }

  /// What reading the inputs has brought to light so far.
  package var found: Findings { findings.value }

  /// Whether one of the inputs can be read only once.
  package var readsStandardInput: Bool {
    origins.contains { if case .standardInput = $0 { true } else { false } }
  }

  /// The size of the inputs as they are stored, without what comes from standard input.
  package var byteCount: Int {
    origins.reduce(0) { total, origin in
      switch origin {
      case .file(let path): total + (InputStream.byteCount(ofFile: path) ?? 0)
      case .memory(let bytes, _): total + bytes.count
      case .standardInput: total
      }
    }
  }

  package func scan(_ request: ScanRequest) throws -> any RowGroupCursor {
    if let group = request.logGroups?.first {
      throw StorageError(
        .unknownGroup,
        "log group '\(group)': files are read here, which belong to no group; leave SOURCE out, or "
          + "load them with 'varve ingest'")
    }
    // Joins and subqueries read the events once more; what was found is told once.
    let isFirst = findings.beginScan()
    if !isFirst, let origin = origins.first(where: { !$0.isReadableAgain }) {
      throw StorageError(
        .invalidInput,
        "\(origin.name) can be read only once, but this query reads its events more than once; "
          + "save them to a file first")
    }
    let inputs = try origins.map { try InputStream($0) }
    return FileCursor(
      inputs: inputs, options: options, request: request,
      findings: isFirst ? findings : FindingsLog(),
      damagedParts: isFirst ? options.damagedParts : [])
  }
}

/// Findings that several workers add to.
private final class FindingsLog: Sendable {
  private let findings = Mutex(FileEventSource.Findings())
  private let hasScanned = Atomic<Bool>(false)

  /// Notes that a scan begins, and returns whether it is the first one.
  func beginScan() -> Bool { !hasScanned.exchange(true, ordering: .relaxed) }

  var value: FileEventSource.Findings { findings.withLock { $0 } }

  func add(_ change: (inout FileEventSource.Findings) -> Void) {
    findings.withLock { change(&$0) }
  }
}

/// Reads block after block, makes row groups of them and skips those that cannot match.
private final class FileCursor: RowGroupCursor {
  private struct State {
    /// Inputs still to be read, the next one first.
    var inputs: [InputStream]
    var reader: LineReader?
    var nextOrdinal = 0
    var rowsBefore: UInt64 = 0
    var idleEncoders: [BlockEncoder] = []
    var statistics = ScanStatistics()
    var bytesOfEarlierInputs = 0
  }

  private let options: FileEventSource.Options
  private let request: ScanRequest
  private let findings: FindingsLog
  private let state: Mutex<State>

  init(
    inputs: sending [InputStream], options: FileEventSource.Options, request: ScanRequest,
    findings: FindingsLog, damagedParts: [String]
  ) {
    self.options = options
    self.request = request
    self.findings = findings
    var first = State(inputs: inputs)
    first.statistics.damagedParts = damagedParts
    state = Mutex(first)
  }

  var statistics: ScanStatistics { state.withLock { $0.statistics } }

  func next() throws -> (any RowGroup)? {
    while let work = try takeBlock() {
      let result = work.encoder.encodeUnpartitioned(work.block)
      findings.add { found in
        found.withoutTimeCount += result.scanned.recordsWithoutTime
        for shape in result.scanned.shapeOfRecord where shape == 0 { found.textEventCount += 1 }
      }
      let handle = try RowGroupHandle(
        source: MemoryByteSource(result.rowGroup.bytes, name: work.name),
        entry: result.rowGroup.entry)
      let isWanted = request.predicates.allSatisfy { handle.mayMatch($0) }
      let reader = try EncodedRowGroupReader(
        handle: handle, logGroup: work.name, ordinal: work.ordinal, boundOfRest: bound,
        window: request.window, sequenceBase: 0)
      state.withLock { state in
        state.idleEncoders.append(work.encoder)
        if isWanted {
          state.statistics.rowGroupsRead += 1
          state.statistics.rowsScanned += reader.rowCount
          state.statistics.rawBytesScanned += reader.rawByteCount
        } else {
          state.statistics.rowGroupsSkipped += 1
          state.statistics.rowsSkipped += reader.rowCount
        }
      }
      if isWanted { return reader }
    }
    return nil
  }

  /// Nothing is known about the times of what is still unread.
  private var bound: Int64? {
    switch request.order {
    case .unspecified: nil
    case .newestFirst: .max
    case .oldestFirst: .min
    }
  }

  private struct Work {
    var block: RecordBlock
    var ordinal: Int
    var encoder: BlockEncoder
    var name: String
  }

  private func takeBlock() throws -> Work? {
    try state.withLock { state in
      while true {
        guard let reader = state.reader ?? openNext(&state) else { return nil }
        do {
          if var block = try reader.next() {
            block.firstRecord = state.rowsBefore
            state.rowsBefore += UInt64(block.records.count)
            state.statistics.bytesRead =
              state.bytesOfEarlierInputs + Int(clamping: reader.bytesConsumed)
            defer { state.nextOrdinal += 1 }
            return Work(
              block: block, ordinal: state.nextOrdinal,
              encoder: state.idleEncoders.popLast() ?? makeEncoder(), name: reader.name)
          }
        } catch let error as StorageError where error.code == .invalidInput {
          state.statistics.damagedParts.append(error.message)
          findings.add { $0.faults.append(error) }
        }
        state.bytesOfEarlierInputs += Int(clamping: reader.bytesConsumed)
        let tally = reader.tally
        findings.add { found in
          found.tooLongCount += tally.tooLong.count
          found.cutOffCount += Int(tally.cutOff)
          found.wrapperMemberCount += Int(clamping: tally.wrapperMembers)
          found.emptyLines += tally.emptyLines
        }
        state.reader = nil
      }
    }
  }

  private func openNext(_ state: inout State) -> LineReader? {
    if state.inputs.isEmpty { return nil }
    let input = state.inputs.removeFirst()
    state.statistics.logGroupsScanned += 1
    var reading = LineReader.Options()
    reading.recordsPerBlock = options.rowsPerRowGroup
    let reader = LineReader(input, options: reading)
    state.reader = reader
    return reader
  }

  private func makeEncoder() -> BlockEncoder {
    BlockEncoder(
      scanner: JSONScanner(timestampField: options.timestampField),
      encoder: RowGroupEncoder(compresses: false), arrivalTime: options.now)
  }
}
