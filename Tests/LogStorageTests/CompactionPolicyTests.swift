import TestSupport
import Testing

@testable import LogStorage

@Suite struct CompactionPolicyTests {
  private let policy = CompactionPolicy()
  private let day = SampleTime.day / Day.milliseconds
  private let mebibyte: UInt64 = 1 << 20

  private func segments(_ sizes: [UInt64]) -> [CompactionPolicy.Segment] {
    sizes.enumerated().map {
      CompactionPolicy.Segment(
        id: SegmentID(high: 0, low: UInt64($0.offset)), byteCount: $0.element)
    }
  }

  private func merge(_ sizes: [UInt64], hoursAfterEnd: Int64) -> [UInt64]? {
    let now = (day + 1) * Day.milliseconds + hoursAfterEnd * SampleTime.hour
    return policy.nextMerge(segments(sizes), day: day, now: now)?.map { sizes[Int($0.low)] }
  }

  @Test func `a day that has just ended still counts as open`() {
    #expect(!policy.isSealed(day, now: (day + 1) * Day.milliseconds + SampleTime.hour))
    #expect(policy.isSealed(day, now: (day + 1) * Day.milliseconds + 3 * SampleTime.hour))
    #expect(!policy.isSealed(.max - 1, now: .max))
  }

  @Test func `an open day merges sixteen segments of one tier and not fifteen`() {
    #expect(merge([UInt64](repeating: mebibyte, count: 15), hoursAfterEnd: -3) == nil)
    let sixteen = [UInt64](repeating: mebibyte, count: 16)
    #expect(merge(sixteen, hoursAfterEnd: -3) == sixteen)
    let half = [UInt64](repeating: 1, count: 8) + [UInt64](repeating: mebibyte, count: 8)
    #expect(merge(half, hoursAfterEnd: -3) == nil)
    #expect(merge([UInt64](repeating: 1024, count: 127), hoursAfterEnd: -3) == nil)
    #expect(merge([UInt64](repeating: 1024, count: 200), hoursAfterEnd: -3)?.count == 128)
    #expect(merge([UInt64](repeating: mebibyte, count: 80), hoursAfterEnd: -3)?.count == 20)
    #expect(merge([UInt64](repeating: 40 * mebibyte, count: 16), hoursAfterEnd: -3)?.count == 6)
    #expect(merge([UInt64](repeating: 100 * mebibyte, count: 40), hoursAfterEnd: -3) == nil)
  }

  @Test func `a sealed day merges what it has, smallest first`() {
    #expect(merge([5, 3, 4], hoursAfterEnd: 3) == [3, 4, 5])
    #expect(merge([5], hoursAfterEnd: 3) == nil)
    #expect(merge([], hoursAfterEnd: 3) == nil)
  }

  @Test func `a large segment is not copied for the sake of a small one`() {
    #expect(merge([200 * mebibyte, mebibyte], hoursAfterEnd: 3) == nil)
    #expect(merge([200 * mebibyte, 2, 1], hoursAfterEnd: 3) == nil)
    let late = [UInt64](repeating: 1 << 10, count: 8)
    #expect(merge([200 * mebibyte] + late.dropLast(), hoursAfterEnd: 3) == nil)
    #expect(merge([200 * mebibyte] + late, hoursAfterEnd: 3) == late)
    #expect(merge([mebibyte, 1], hoursAfterEnd: 3) == nil)
    #expect(merge([4 << 10, 1], hoursAfterEnd: 3) == [1, 4 << 10])
    #expect(merge([20 * mebibyte, 20 * mebibyte], hoursAfterEnd: 3)?.count == 2)
    #expect(merge([20 * mebibyte, 19 * mebibyte], hoursAfterEnd: 3) == nil)
    #expect(merge([20 * mebibyte, 12 * mebibyte, 8 * mebibyte], hoursAfterEnd: 3)?.count == 3)
    #expect(merge([200 * mebibyte, 100 * mebibyte], hoursAfterEnd: 3) == nil)
  }

  @Test func `nothing is merged beyond the budget`() {
    func merge(writtenPerByte: Double, hours: Int64) -> Int? {
      let list = segments([UInt64](repeating: mebibyte, count: 16)).map { segment in
        var segment = segment
        segment.writtenByteCount = UInt64(Double(segment.byteCount) * writtenPerByte)
        return segment
      }
      let now = (day + 1) * Day.milliseconds + hours * SampleTime.hour
      return policy.nextMerge(list, day: day, now: now)?.count
    }
    #expect(merge(writtenPerByte: 2, hours: -3) == 16)
    #expect(merge(writtenPerByte: 2.01, hours: -3) == nil)
    #expect(merge(writtenPerByte: 2.01, hours: 3) == 15, "what there is budget for")
    #expect(merge(writtenPerByte: 2.9, hours: 3) == nil)
  }

  @Test func `a merge of an open day leaves enough for the last one`() {
    // 32 × 4 KiB would leave their class; they were written twice already.
    var list = segments([UInt64](repeating: 4 << 10, count: 32))
    for index in list.indices { list[index].writtenByteCount *= 2 }
    #expect(policy.nextMerge(list, day: day, now: day * Day.milliseconds) == nil)
    #expect(
      policy.nextMerge(list, day: day, now: (day + 2) * Day.milliseconds)?.count == 32)
  }

  @Test(arguments: 0..<40)
  func `merging ends, keeps every byte and obeys the limits`(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var sizes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
      UInt64.random(in: 1...(4 << UInt64.random(in: 1...26, using: &random)), using: &random)
    }
    let total = sizes.reduce(0, +)
    var rounds = 0
    while let inputs = merge(sizes, hoursAfterEnd: seed % 2 == 0 ? 3 : -5) {
      rounds += 1
      #expect(inputs.count >= 2 && inputs.count <= policy.maximumSmallInputs, "seed \(seed)")
      #expect(inputs.reduce(0, +) <= policy.maximumOutputByteCount, "seed \(seed)")
      for size in inputs { sizes.remove(at: sizes.firstIndex(of: size)!) }
      sizes.append(inputs.reduce(0, +))
      guard rounds <= 200 else { break }
    }
    #expect(rounds <= 200, "seed \(seed)")
    #expect(sizes.reduce(0, +) == total, "seed \(seed)")
  }
}
