import Synchronization

/// One input whose events are acknowledged as soon as they are durable, through a write-ahead log.
///
/// The calling thread reads and scans; the writer's threads commit and flush:
///
///     read what is there ─► scan ─► StreamWriter ─► "the first N events are safe"
///
/// What is there is taken at once, even one line; while the disk is at work more comes, so blocks
/// grow with the rate of the input.
struct StreamedInput {
  /// Longest wait for more input once there is some, ms.
  private static let linger: Int32 = 2
  /// A block is decided on, scanned and compressed as a whole while later events wait.
  private static let blockByteCount = 4 << 20
  /// How often an idle input looks after its writer, ms.
  private static let heartbeat: Int32 = 500

  let store: LogStore
  let options: IngestSession.Options
  let acknowledge: @Sendable (_ events: UInt64) -> Void

  /// Reads the input to its end.
  ///
  /// - Throws: `StorageError` when the store cannot take the events; those acknowledged are safe.
  func ingest(_ origin: InputStream.Origin) throws -> IngestReport {
    let started = ContinuousClock.now
    var reading = LineReader.Options()
    reading.stream = options.stream
    reading.lingerMilliseconds = Self.linger
    reading.blockByteCount = Self.blockByteCount
    let reader = LineReader(try InputStream(origin), options: reading)
    let recovered = recover()
    let writer = try StreamWriter(store: store, limits: options.streamLimits)
    let fault: StorageError?
    let outcome = Outcome()
    do {
      fault = try pump(reader, into: writer, outcome)
    } catch {
      _ = try? writer.close()
      throw error
    }
    let counts = try writer.close()
    try outcome.check()
    acknowledge(counts.eventCount + UInt64(reader.tally.tooLong.count))
    var report = IngestReport(
      counts: counts, tally: reader.tally, fault: fault, inputByteCount: reader.bytesConsumed,
      elapsed: ContinuousClock.now - started)
    report.recovered = recovered
    return report
  }

  /// Publishes what an earlier stream left when it ended early. Queries see that anyway, so trouble
  /// with it is told and does not stop this stream.
  private func recover() -> [String] {
    do { return try store.recoverLogs() } catch { return ["\(error)"] }
  }

  /// The first trouble with a batch; nothing is acknowledged after it.
  private final class Outcome: Sendable {
    private let failure = Mutex<(any Error)?>(nil)

    func check() throws { if let failure = failure.withLock({ $0 }) { throw failure } }

    /// Runs `body` unless something went wrong with this batch or an earlier one.
    func note(_ error: (any Error)?, _ body: () -> Void) {
      let isGood = failure.withLock { failure in
        if failure == nil { failure = error }
        return failure == nil
      }
      if isGood { body() }
    }
  }

  /// - Returns: damage of the input; what came before it is kept.
  private func pump(
    _ reader: LineReader, into writer: StreamWriter, _ outcome: Outcome
  ) throws -> StorageError? {
    let scanner = JSONScanner(timestampField: options.timestampField)
    var accepted: UInt64 = 0
    var rejected = 0
    while true {
      while !reader.isReady(within: Self.heartbeat) { try check(writer, outcome) }
      let block: RecordBlock?
      do { block = try reader.next() } catch let error as StorageError
        where error.code == .invalidInput
      {
        try reject(reader, after: &rejected)
        return error
      }
      try reject(reader, after: &rejected)
      guard let block else { return nil }
      try check(writer, outcome)
      let arrival = options.clock?.now() ?? options.now
      accepted += UInt64(block.records.count)
      let total = accepted + UInt64(rejected)
      try writer.append(
        scanner.scan(block, arrivalTime: arrival), logGroup: options.logGroup,
        ingestionTime: arrival
      ) { error in outcome.note(error) { acknowledge(total) } }
      options.progress?(reader.bytesConsumed)
    }
  }

  private func check(_ writer: StreamWriter, _ outcome: Outcome) throws {
    try outcome.check()
    if let failure = writer.failure { throw failure }
  }

  /// Makes the records that the reader left out durable in the group's file of rejected input: they
  /// count as dealt with from then on.
  private func reject(_ reader: LineReader, after count: inout Int) throws {
    let tooLong = reader.tally.tooLong
    let rejected = RejectedRecords(
      tooLong: tooLong[count...], input: reader.name,
      arrivalTime: options.clock?.now() ?? options.now)
    try rejected.append(to: store, logGroup: options.logGroup)
    count = tooLong.count
  }
}
