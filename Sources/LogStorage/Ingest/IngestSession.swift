import Synchronization

/// Loads inputs into one log group of a store.
///
/// Workers take turns at the reader, each with a block of up to 32 MiB; scanning and encoding, which
/// is nearly all of the time, runs side by side. Row groups reach the segments in the order of the
/// input, whichever worker was faster:
///
///     reader ─block 0─► worker A ─scan, encode─►┐
///            ─block 1─► worker B ─scan, encode─►┴─ in order of blocks ─► segment of each day
///
/// Nothing is visible until all segments are published in one manifest record: a crash before it
/// leaves the store as it was. With acknowledgements the events go through a write-ahead log instead
/// (`StreamedInput`), and each commit says how many input events are safe.
package final class IngestSession: Sendable {
  /// What to load and how to say how far it is.
  package struct Options: Sendable {
    package var logGroup: String
    /// Stream of events whose input names none.
    package var stream: String
    /// Field that holds the event time, before those that are looked for anyway.
    package var timestampField: String?
    /// Time of arrival, ms.
    package var now: Int64
    package var workers = Workers.available
    package var compactness = RowGroupEncoder.Compactness.automatic
    /// Told the stored bytes of the input consumed so far, from any worker, after each block.
    package var progress: (@Sendable (_ consumed: UInt64) -> Void)?
    /// Told how many input events (accepted or rejected) are safe, after each commit.
    package var acknowledge: (@Sendable (_ events: UInt64) -> Void)?
    /// The part of the input to read, and the bookmark to set with its events; not with
    /// acknowledgements. A damaged input is then not loaded at all.
    package var bookmark: BookmarkedInput?
    /// With acknowledgements, tells the time of arrival of each batch; `nil` means `now` for all.
    package var clock: (any WallClock)?
    /// With acknowledgements, when events go from the write-ahead log into segments.
    package var streamLimits = StreamWriter.Limits()

    package init(logGroup: String, stream: String = "default", now: Int64) {
      self.logGroup = logGroup
      self.stream = stream
      self.now = now
    }
  }

  private let store: LogStore
  private let options: Options

  /// - Throws: `StorageError` (`invalidArgument`) when the group's or stream's name is not acceptable.
  package init(store: LogStore, options: Options) throws {
    try LogName.checkGroup(options.logGroup)
    try LogName.checkStream(options.stream)
    self.store = store
    self.options = options
  }

  /// Reads an input to its end and publishes its events.
  ///
  /// - Returns: what became of the input's events. Its `fault` is set when the input is damaged (a
  ///   truncated archive): the events before the fault are in the store then.
  /// - Throws: `StorageError` when the store cannot take the events; none that were not acknowledged is visible.
  package func ingest(_ origin: InputStream.Origin) throws -> IngestReport {
    if let acknowledge = options.acknowledge {
      return try StreamedInput(store: store, options: options, acknowledge: acknowledge)
        .ingest(origin)
    }
    let clock = ContinuousClock()
    let started = clock.now
    let run = try Run(store: store, options: options, origin: origin)
    do {
      try Workers.run(options.workers) { [options] _ in
        let encoder = BlockEncoder(
          scanner: JSONScanner(timestampField: options.timestampField),
          encoder: RowGroupEncoder(compactness: options.compactness),
          arrivalTime: options.now)
        while let (ordinal, block) = try run.nextBlock() {
          try run.take(encoder.encode(block), ordinal: ordinal, encoder: encoder)
          options.progress?(run.bytesConsumed)
        }
      }
      return try run.finish(elapsed: clock.now - started)
    } catch {
      run.abandon()
      throw error
    }
  }

  /// One input on its way.
  private final class Run: Sendable {
    private let store: LogStore
    private let options: Options
    private let source: Mutex<Source>
    private let output: Mutex<IngestOutput>

    private struct Source {
      let reader: LineReader
      var nextOrdinal = 0
      /// Damage of the input; what came before it is kept.
      var fault: StorageError?
    }

    init(store: LogStore, options: Options, origin: InputStream.Origin) throws {
      self.store = store
      self.options = options
      var reading = LineReader.Options()
      reading.stream = options.stream
      source = Mutex(
        Source(
          reader: LineReader(
            try options.bookmark.map { try InputStream(origin, range: $0.range) }
              ?? InputStream(origin), options: reading)))
      output = Mutex(
        IngestOutput(
          store: store, logGroup: options.logGroup, arrivalTime: options.now))
    }

    var bytesConsumed: UInt64 { source.withLock { $0.reader.bytesConsumed } }

    func nextBlock() throws -> (ordinal: Int, block: RecordBlock)? {
      try source.withLock { source in
        guard source.fault == nil else { return nil }
        do {
          guard let block = try source.reader.next() else { return nil }
          defer { source.nextOrdinal += 1 }
          return (source.nextOrdinal, block)
        } catch let error as StorageError where error.code == .invalidInput {
          source.fault = error
          return nil
        }
      }
    }

    func take(_ result: BlockEncoder.Result, ordinal: Int, encoder: BlockEncoder) throws {
      try output.withLock { try $0.take(result, ordinal: ordinal, encoder: encoder) }
    }

    func finish(elapsed: Duration) throws -> IngestReport {
      let encoder = BlockEncoder(
        scanner: JSONScanner(), encoder: RowGroupEncoder(compactness: options.compactness),
        arrivalTime: options.now)
      let (tally, fault, consumed, name) = source.withLock {
        ($0.reader.tally, $0.fault, $0.reader.bytesConsumed, $0.reader.name)
      }
      if let fault, options.bookmark != nil { throw fault }
      let rejected = RejectedRecords(
        tooLong: tally.tooLong[...], input: name, arrivalTime: options.now)
      let counts = try output.withLock { output in
        // Nobody reads again what a bookmark stands behind: what was rejected is written down before it is set.
        if options.bookmark != nil { try rejected.append(to: store, logGroup: options.logGroup) }
        try output.publish(encoder: encoder, bookmark: options.bookmark)
        if options.bookmark == nil { try rejected.append(to: store, logGroup: options.logGroup) }
        return output.counts
      }
      return IngestReport(
        counts: counts, tally: tally, fault: fault, inputByteCount: consumed, elapsed: elapsed)
    }

    func abandon() { output.withLock { $0.discard() } }
  }
}
