import TestSupport
import Testing

@testable import LogStorage

/// How many bytes merges write for each byte that was first written, over days with maintenance in between.
@Suite struct WriteAmplificationTests {
  private static let kibibyte: UInt64 = 1 << 10

  /// A day's segments in sizes, without a disk: what a merge makes is as large as what went
  /// into it. Real ones shrink, those of a few kilobytes to a tenth.
  private struct Simulation {
    private let policy = CompactionPolicy()
    private let day: Int64 = 20_000
    private var segments: [CompactionPolicy.Segment] = []
    private var nextID: UInt64 = 0
    private(set) var first: UInt64 = 0
    private(set) var merged: UInt64 = 0
    /// The most that there were after a maintenance run.
    private(set) var most = 0

    var count: Int { segments.count }

    mutating func add(_ byteCount: UInt64) {
      first += byteCount
      append(byteCount)
    }

    private mutating func append(_ byteCount: UInt64) {
      segments.append(
        CompactionPolicy.Segment(id: SegmentID(high: 0, low: nextID), byteCount: byteCount))
      nextID += 1
    }

    mutating func maintain(isSealed: Bool) {
      let now = (day + 1) * Day.milliseconds + (isSealed ? 3 : -3) * SampleTime.hour
      while let ids = policy.nextMerge(segments, day: day, now: now).map(Set.init) {
        let total = segments.filter { ids.contains($0.id) }.reduce(0) { $0 + $1.byteCount }
        segments.removeAll { ids.contains($0.id) }
        append(total)
        merged += total
      }
      most = max(most, segments.count)
    }

    var amplification: Double { Double(merged) / Double(first) }
  }

  @Test(
    arguments: [20, 100, 500, 2048].map { $0 * kibibyte }, [24, 96, 288, 1440, 8640])
  func `a day of batches is written three more times at most`(_ size: UInt64, _ count: Int) {
    guard UInt64(count) * size <= 4 << 30 else { return }
    for interval in [1, count / 96, count / 24, count] where interval > 0 {
      var day = Simulation()
      for batch in 1...count {
        day.add(size)
        if batch % interval == 0, batch < count { day.maintain(isSealed: false) }
      }
      let open = interval == count ? 0 : day.most
      day.maintain(isSealed: true)
      #expect(
        day.amplification <= 3, "\(count) of \(size) bytes, maintenance after each \(interval)")
      #expect(open <= 128 + interval)
      #expect(UInt64(day.count) <= 3 + day.first / (64 << 20))
    }
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `batches of all sizes and late ones do not take more`(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var day = Simulation()
    let largest = UInt64.random(in: 6...20, using: &random)
    for batch in 0..<Int.random(in: 50...1500, using: &random) {
      day.add(
        UInt64.random(
          in: 1000...(4096 << UInt64.random(in: 0...largest - 6, using: &random)), using: &random))
      if batch % 10 == 9 { day.maintain(isSealed: false) }
    }
    day.maintain(isSealed: true)
    #expect(day.amplification <= 3, "seed \(seed)")
    // Two weeks of events that come late, with maintenance each hour: a tenth of the day in all.
    let late = day.first / 3360
    for _ in 0..<336 {
      day.add(late)
      day.maintain(isSealed: true)
    }
    #expect(day.amplification <= 3.5, "seed \(seed)")
    #expect(UInt64(day.count) <= 8 + day.first / (64 << 20), "seed \(seed)")
  }

  @Test func `real batches over two days are written three more times at most`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    var random = SeededGenerator(seed: 4)
    var (first, merged) = (UInt64(0), UInt64(0))
    let perDay: Int64 = 96
    let step = Day.milliseconds / perDay
    var count = 0
    for batch in 0..<2 * perDay {
      let start = SampleTime.day + batch * step
      let known = Set(try store.segments().map(\.record.id))
      var events = SampleEvents("", count: 60, from: start)
      for row in events.texts.indices {
        let noise = (0..<6).map { _ in String(UInt64.random(in: 0 ... .max, using: &random)) }
        events.texts[row] = "{\"batch\":\(batch),\"n\":\(row),\"noise\":\"\(noise.joined())\"}"
      }
      try store.publish(events, to: "api")
      count += events.texts.count
      first += try store.segments().map(\.record).filter { !known.contains($0.id) }
        .reduce(0) { $0 + $1.byteCount }
      if batch % 2 == 1 { merged += try store.retain(now: start + step).writtenByteCount }
    }
    merged += try store.retain(now: SampleTime.day + 4 * Day.milliseconds).writtenByteCount
    print("write amplification: \(merged) bytes by merges, \(first) first")
    #expect(merged <= 3 * first && merged > first / 2)
    #expect(try store.events().count == count)
    #expect(try store.groups()[0].segmentCount <= 4)
    #expect(try store.verify().problems == [])
  }
}
