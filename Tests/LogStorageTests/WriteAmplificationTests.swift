import TestSupport
import Testing

@testable import LogStorage

/// How many bytes are written for each byte that was first written, first writing and merges together, over days with maintenance
/// in between.
@Suite struct WriteAmplificationTests {
  private static let kibibyte: UInt64 = 1 << 10

  /// Days of a log group as sizes, without a disk: what a merge makes is as large as what went into it. Real
  /// ones shrink, those of a few kilobytes to a tenth.
  private struct Simulation {
    private let policy = CompactionPolicy()
    private var days: [Int64: [CompactionPolicy.Segment]] = [:]
    private var nextID: UInt64 = 0
    private(set) var first: UInt64 = 0
    private(set) var written: UInt64 = 0

    var amplification: Double { Double(written) / Double(first) }

    func count(_ day: Int64) -> Int { days[day, default: []].count }
    func byteCount(_ day: Int64) -> UInt64 {
      days[day, default: []].reduce(0) { $0 + $1.byteCount }
    }

    mutating func add(_ byteCount: UInt64, to day: Int64 = 0) {
      first += byteCount
      written += byteCount
      days[day, default: []].append(CompactionPolicy.Segment(id: makeID(), byteCount: byteCount))
    }

    private mutating func makeID() -> SegmentID {
      nextID += 1
      return SegmentID(high: 0, low: nextID)
    }

    /// A maintenance run at an hour counted from the beginning of day 0.
    mutating func maintain(hour: Int64) {
      for day in days.keys.sorted() {
        while let ids = policy.nextMerge(days[day]!, day: day, now: hour * SampleTime.hour)
          .map(Set.init)
        {
          let inputs = days[day]!.filter { ids.contains($0.id) }
          days[day]!.removeAll { ids.contains($0.id) }
          let total = inputs.reduce(0) { $0 + $1.byteCount }
          var output = CompactionPolicy.Segment(id: makeID(), byteCount: total)
          output.firstByteCount = inputs.reduce(0) { $0 + $1.firstByteCount }
          output.writtenByteCount = inputs.reduce(total) { $0 + $1.writtenByteCount }
          days[day]!.append(output)
          written += total
        }
      }
    }
  }

  @Test(
    arguments: [1, 2, 4, 20, 100, 500, 2048, 8192, 65_536].map { $0 * kibibyte },
    [24, 96, 288, 1440, 8640, 20_000])
  func `a day of batches is written three times at most`(_ size: UInt64, _ count: Int) {
    guard UInt64(count) * size <= 8 << 30 else { return }
    for interval in Set([max(1, count / 288), max(1, count / 24), count]) {
      var days = Simulation()
      var most = 0
      for batch in 1...count {
        days.add(size)
        guard batch % interval == 0, batch < count else { continue }
        days.maintain(hour: Int64(batch * 24 / count))
        most = max(most, days.count(0))
      }
      days.maintain(hour: 27)
      let what = "\(count) of \(size) bytes, maintenance after each \(interval)"
      #expect(days.amplification <= 3, "\(what): \(days.amplification)")
      #expect(most <= 256, "\(what): \(most) while the day went on")
      let left = days.count(0)
      #expect(UInt64(left) <= 8 + days.first / (16 << 20), "\(what): \(left) in the end")
    }
  }

  @Test(arguments: 0..<16 as Range<UInt64>)
  func `days of batches of all sizes, with late ones, are written three times at most`(
    _ seed: UInt64
  ) {
    var random = SeededGenerator(seed: seed)
    var days = Simulation()
    // Half of the batches are below this one, in each power of two as many.
    let largest = UInt64.random(in: 11...24, using: &random)
    let perHour = Int.random(in: 1...40, using: &random)
    let late = Double.random(in: 0...0.3, using: &random)
    let last: Int64 = 6
    var most = 0
    for hour in 0..<24 * last {
      let today = hour / 24
      for _ in 0..<perHour {
        let isLate = Double.random(in: 0..<1, using: &random) < late
        let day = isLate ? Int64.random(in: max(0, today - 13)...today, using: &random) : today
        let power = UInt64.random(in: 10...largest, using: &random)
        days.add(UInt64.random(in: 1 << power...2 << power, using: &random), to: day)
      }
      days.maintain(hour: hour)
      most = max(most, days.count(today))
    }
    #expect(most <= 256, "seed \(seed): \(most)")
    // Ten more days of stragglers.
    for hour in 24 * last..<24 * (last + 10) {
      days.add(UInt64.random(in: 1000...100_000, using: &random), to: hour % last)
      days.maintain(hour: hour)
    }
    #expect(days.amplification <= 3, "seed \(seed): \(days.amplification)")
    for day in 0..<last {
      let count = days.count(day)
      #expect(
        UInt64(count) <= 40 + days.byteCount(day) / (16 << 20), "seed \(seed), day \(day): \(count)"
      )
    }
  }

  @Test func `an archive loaded into days that have ended is written three times at most`() {
    for size in [1, 4, 100, 4096].map({ $0 * Self.kibibyte }) {
      var days = Simulation()
      var most = 0
      for batch in 0..<5000 {
        days.add(size)
        if batch % 10 == 9 { days.maintain(hour: 1000) }
        most = max(most, days.count(0))
      }
      days.maintain(hour: 1000)
      #expect(days.amplification <= 3, "\(size): \(days.amplification)")
      #expect(most <= 300, "\(size): \(most)")
    }
  }

  @Test func `real batches over two days are written three times at most`() throws {
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
    #expect(first + merged <= 3 * first && merged > first / 2)
    // What the store remembers is what was counted, also when it is read anew.
    let records = try LogStore.open("/store", mode: .readOnly, options: storeOptions(disk))
      .segments().map(\.record)
    #expect(records.reduce(0) { $0 + $1.firstByteCount } == first)
    #expect(records.reduce(0) { $0 + $1.writtenByteCount } == first + merged)
    #expect(try store.events().count == count)
    #expect(try store.groups()[0].segmentCount <= 4)
    #expect(try store.verify().problems == [])
  }
}
