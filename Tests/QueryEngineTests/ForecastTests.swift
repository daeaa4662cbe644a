import Columnar
import LogStorage
import TestSupport
import Testing

@testable import QueryEngine

/// What `explain` tells of a query, against what a run of it counts in a store of its own.
struct ForecastTests {
  /// The same events, twice: what the forecast has opened must not be open to the run.
  private struct Twins {
    let folders = [TemporaryFolder(), TemporaryFolder()]
    let sources: [any EventSource]
    private static let ingestions = 4
    private static let eventsEach = 3_000

    init() throws {
      sources = try folders.map { folder in
        let store = try LogStore.open(folder.file("store"), mode: .create)
        for part in 0..<Self.ingestions {
          var options = IngestSession.Options(logGroup: "app", stream: "s", now: Twins.start)
          options.workers = 1
          let lines = (0..<Self.eventsEach).map { Twins.line($0, part) }
          let session = try IngestSession(store: store, options: options)
          _ = try session.ingest(
            .memory(Array(lines.joined(separator: "\n").utf8), name: "part \(part)"))
        }
        return try LogStore.open(folder.file("store"), mode: .readOnly).snapshot(now: Twins.start)
      }
    }

    static let start: Int64 = 1_772_445_600_000

    /// Part 3 has a field that no other has, and each part has an hour of its own.
    private static func line(_ index: Int, _ part: Int) -> String {
      let time = start - 86_400_000 + Int64(part) * 3_600_000 + Int64(index) * 1_000
      let id = String(UInt64(index) &* 0x9E37_79B9_7F4A_7C15 | 1 << 63, radix: 16)
      let extra = part == 3 ? ",\"only\":\(index)" : ""
      return "{\"timestamp\":\(time),\"level\":\"\(index % 7 == 0 ? "ERROR" : "INFO")\","
        + "\"ms\":\(index % 900 + part * 1_000),\"trace\":\"\(id)\","
        + "\"message\":\"request of user \(index % 50) took \(index % 900) ms\"\(extra)}"
    }
  }

  private func forecast(
    _ query: String, window: ClosedRange<Int64>? = nil, workers: Int = 2
  ) throws -> (forecast: QueryForecast, run: QueryStatistics) {
    let twins = try Twins()
    var options = QueryOptions(now: Twins.start)
    options.window = window
    options.workers = workers
    let prepared = try PreparedQuery(query, options: options)
    let forecast = try prepared.forecast(on: twins.sources[0])
    let run = try prepared.run(on: twins.sources[1]) { _ in }
    return (forecast, run.statistics)
  }

  @Test(arguments: [
    "stats count(*)",
    "stats count(*) by level",
    "filter level = \"ERROR\" | stats count(*), avg(ms)",
    "filter message like \"user 7\" | stats count(*)",
    "filter @message like \"took 31 ms\" | stats count(*)",
    "filter only > 100 | stats count(*)",
    "filter ms > 2000 and ms < 2100 | stats count(*)",
    "stats pct(ms, 95) by level",
    "fields @timestamp, @message | sort ms asc",
    "filter ms in (filter level = \"ERROR\" | fields ms) | stats count(*)",
  ])
  func `a run counts what the forecast has told`(query: String) throws {
    let (forecast, run) = try forecast(query)
    let estimate = forecast.estimate
    #expect(estimate.segmentsRead == run.segmentsRead)
    #expect(estimate.rowGroupsRead == run.rowGroupsRead)
    #expect(estimate.recordsScanned == run.recordsScanned)
    #expect(estimate.bytesScanned == run.bytesScanned)
    #expect(
      forecast.scans.reduce(0) { $0 + $1.survey.statistics.rowsSkipped } == run.recordsSkipped)
    #expect(
      forecast.scans.reduce(into: [:]) { $0.merge($1.survey.statistics.skips) { $0 + $1 } }
        == run.skips)
    // Row groups differ a little in what they hold.
    let difference = abs(Double(estimate.bytesRead - run.bytesRead)) / Double(run.bytesRead)
    #expect(difference < 0.1, "\(estimate.bytesRead) bytes expected, \(run.bytesRead) read")
  }

  @Test func `skipping has a reason for every row group`() throws {
    let (absent, _) = try forecast("filter only > 100 | stats count(*)")
    #expect(absent.scans[0].survey.statistics.skips[.fieldAbsent("only")]?.rowGroups == 3)
    let (bounds, _) = try forecast("filter ms >= 3000 | stats count(*)")
    #expect(bounds.scans[0].survey.statistics.skips[.outsideBounds("ms")]?.rows == 9_000)
    let day = Twins.start - 86_400_000
    let (window, run) = try forecast("stats count(*) by level", window: day...day + 3_599_999)
    let skipped = window.scans[0].survey.statistics.skips[.outsideWindow]
    #expect(skipped?.segments == 3)
    #expect(skipped?.rows == 9_000)
    #expect(window.scans[0].survey.eventCount == run.recordsScanned)
  }

  @Test func `CloudWatch reads all that lies in the window`() throws {
    let (all, run) = try forecast("stats count(*)")
    #expect(all.cloudWatchByteCount == run.bytesScanned)
    let (filtered, skipping) = try forecast("filter only > 100 | stats count(*)")
    #expect(filtered.cloudWatchByteCount == run.bytesScanned)
    #expect(skipping.bytesScanned < run.bytesScanned)
    #expect(filtered.cloudWatchDollars == Double(run.bytesScanned) / 1e9 * 0.005)
  }

  @Test func `filters are told with what they were decided on`() throws {
    func means(_ query: String) throws -> [[DecisionMeans]] {
      try forecast(query).forecast.filters.map(\.means)
    }
    #expect(try means("filter level = \"ERROR\"") == [[.dictionaries]])
    #expect(try means("filter ms > 20") == [[.numbers]])
    #expect(try means("filter message like \"user 7\"") == [[.templates]])
    #expect(try means("filter @timestamp > \(Twins.start - 90_000_000)") == [[.eventTimes]])
    let two = try forecast("filter level = \"ERROR\" and strlen(level) = 5").forecast.filters
    #expect(two.map(\.means) == [[.dictionaries], [.known]])
    #expect(two[0].rowsAfter == two[1].rowsBefore)
    let anywhere = try forecast("filter @message like \"took 31 ms\"").forecast.filters[0]
    #expect(anywhere.means.contains(.shapes) && anywhere.means.contains(.templates))
    #expect(anywhere.textCount == 0)
    let whole = try forecast("filter strlen(@message) > 10").forecast.filters[0]
    #expect(whole.means == [.wholeTexts])
    #expect(whole.textCount == whole.rowsBefore)
  }

  @Test func `a scan that soon has enough is told as one`() throws {
    // A second worker may draw as many as it likes while the first finds enough.
    let (few, run) = try forecast("fields @message | limit 5", workers: 1)
    #expect(few.endsEarly)
    #expect(few.estimate.rowGroupsRead == run.rowGroupsRead)
    #expect(run.rowGroupsRead < 4)
    let (all, _) = try forecast("fields @message | sort ms desc | limit 5")
    #expect(!all.endsEarly)
    #expect(all.estimate.rowGroupsRead == 4)
  }

  @Test func `estimates learn from runs of the same work`() throws {
    let twins = try Twins()
    let rates = RateBook()
    var options = QueryOptions(now: Twins.start)
    options.workers = 1
    for (limit, level) in [(3, "ERROR"), (4, "INFO")] {
      let query = try PreparedQuery(
        "filter level = \"\(level)\" | stats count(*) by ms | limit \(limit)", options: options)
      var run = try query.run(on: twins.sources[0]) { _ in }.statistics
      if limit == 4 { run.elapsedMilliseconds = 1e9 }
      let estimate = try query.estimate(of: run, on: twins.sources[0], rates: rates)
      #expect(estimate?.rowGroupsRead == 4)
      #expect(estimate?.recordsScanned == 12_000)
      // The second is told from the first, not from itself.
      #expect((estimate?.elapsedMilliseconds ?? .infinity) < 1e6)
    }
    let third = try PreparedQuery(
      "filter level = \"INFO\" | stats count(*) by ms | limit 9", options: options)
    let estimate = try third.estimate(
      of: QueryStatistics(), on: twins.sources[0], rates: rates)
    #expect(estimate?.elapsedMilliseconds == 1e9)
  }
}
