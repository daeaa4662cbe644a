/// Decides which segments of one day of a log group to merge: sizes in, merges out, no disk.
///
/// *The budget.* A segment knows how many bytes were written when its events first came into segments, and how many
/// have been written for them up to now, merges included. For a day the second may be three times the first and no more: a
/// merge that would lead beyond that does not happen. So *write amplification*, bytes written for each byte first
/// written, is at most 3 by construction, whatever the batches, however often maintenance runs and however
/// late events come. All else here is about what the budget is spent on.
///
/// *While a day goes on* its segments stand in three classes: below 128 KiB, 16 MiB and 256 MiB. A class is merged when
/// it has sixteen segments that together leave it:
///
///     4 KiB ×32            →  one of 128 KiB; each byte was written a second time
///     128 KiB ×128         →  one of 16 MiB; each byte was written the third and last time
///     4 MiB ×15            →  nothing yet
///     40 MiB ×16           →  six of them become 240 MiB: batches this large had skipped the classes below
///
/// A merge must leave enough of the budget for writing all that is still below 16 MiB once more. A class holds no more
/// than what it takes to leave it, so the smallest batches, of 1 KiB, are at most 128 + 128 segments.
///
/// *A day that has ended* (two hours ago, for late events) is brought down to few segments, smallest first:
///
///     1 MiB ×20, 200 MiB   →  all but the largest become 20 MiB
///     20 MiB ×4, 60        →  all become 140 MiB
///     80 MiB, 1 MiB        →  nothing to do: 80 would be written again for the sake of 1
///     80 MiB, 50, 30       →  all become 160 MiB
///
/// Late events collect beside the large segment of their day: eight of theirs are merged, and all when they are as
/// much as the large one.
///
/// Every merge has fewer segments afterwards, so repeating until nothing is proposed ends; a second run
/// proposes nothing. `WriteAmplificationTests` measures amplification and numbers of segments for all sorts of days.
package struct CompactionPolicy: Sendable, Hashable {
  /// Bytes written for each byte first written, at most.
  package var maximumAmplification: UInt64 = 3
  /// Segments in one merge: bounds open files and memory.
  package var maximumInputs = 16
  /// The same while all of them together are small.
  package var maximumSmallInputs = 128
  package var smallInputsByteCount: UInt64 = 20 << 20
  /// Largest output, bytes.
  package var maximumOutputByteCount: UInt64 = 256 << 20
  /// Sizes at which a class ends. Segments from the second on are settled: they need not be written again.
  package var classEnds: [UInt64] = [128 << 10, 16 << 20, 256 << 20]
  /// Segments of one class that are merged at least.
  package var segmentsPerClass = 16
  /// The same of settled ones, of which few fit into one output.
  package var settledSegmentsPerMerge = 4
  /// Segments of late events that are merged at least while a larger one stands beside them.
  package var lateSegmentsPerMerge = 8
  /// A segment up to this many bytes is merged with anything; a larger one only when the others
  /// together are as large.
  package var freelyMergedByteCount: UInt64 = 4 << 10
  /// How long after its end a day counts as complete, ms.
  package var sealingDelay: Int64 = 2 * 3_600_000

  package init() {}

  /// What the policy looks at.
  package struct Segment: Sendable, Hashable {
    package var id: SegmentID
    package var byteCount: UInt64
    /// Bytes that were written when its events first came into segments.
    package var firstByteCount: UInt64
    /// Bytes that have been written for them up to now.
    package var writtenByteCount: UInt64

    /// A segment that no merge made.
    package init(id: SegmentID, byteCount: UInt64) {
      self.id = id
      self.byteCount = byteCount
      firstByteCount = byteCount
      writtenByteCount = byteCount
    }

    init(_ record: SegmentRecord) {
      id = record.id
      byteCount = record.byteCount
      firstByteCount = record.firstByteCount
      writtenByteCount = record.writtenByteCount
    }
  }

  /// The next merge of a day, or `nil` when it is fine as it is.
  package func nextMerge(_ segments: [Segment], day: Int64, now: Int64) -> [SegmentID]? {
    let ascending = segments.sorted { ($0.byteCount, $0.id) < ($1.byteCount, $1.id) }
    let isSealed = isSealed(day, now: now)
    let budget = budget(of: segments)
    let merge =
      classMerge(ascending, budget: budget, isLast: isSealed)
      ?? (isSealed ? sealedMerge(ascending, budget: budget) : nil)
    return merge.map { $0.map(\.id) }
  }

  /// Whether a day has ended long enough ago.
  package func isSealed(_ day: Int64, now: Int64) -> Bool {
    let (end, overflow) = (day + 1).multipliedReportingOverflow(by: Day.milliseconds)
    return !overflow && end.addingReportingOverflow(sealingDelay).partialValue < now
  }

  /// Bytes that merges of a day may still write.
  private func budget(of segments: [Segment]) -> UInt64 {
    let first = segments.reduce(0) { $0 &+ $1.firstByteCount }
    let written = segments.reduce(0) { $0 &+ $1.writtenByteCount }
    let (limit, overflow) = first.multipliedReportingOverflow(by: maximumAmplification)
    return overflow ? .max : limit - min(limit, written)
  }

  /// Segments of one class that leave it together.
  ///
  /// - Parameter isLast: no merge comes later that some of the budget must be kept for.
  private func classMerge(
    _ ascending: [Segment], budget: UInt64, isLast: Bool
  ) -> [Segment]? {
    let settledFrom = classEnds[1]
    var start: UInt64 = 0
    for end in classEnds {
      let members = ascending.filter { $0.byteCount >= start && $0.byteCount < end }
      start = end
      guard members.count >= segmentsPerClass, byteCount(members) >= end else { continue }
      let merge = fitting(members)
      let wanted = end > settledFrom ? settledSegmentsPerMerge : segmentsPerClass
      guard merge.count >= wanted else { continue }
      let written = byteCount(merge)
      var unsettled = byteCount(ascending.prefix { $0.byteCount < settledFrom })
      if written >= settledFrom {
        unsettled -= byteCount(merge.prefix { $0.byteCount < settledFrom })
      }
      if written + (isLast ? 0 : unsettled) <= budget { return merge }
    }
    return nil
  }

  /// As many of the smallest as are worth it: large ones that the others do not weigh up are left as they are.
  private func sealedMerge(_ ascending: [Segment], budget: UInt64) -> [Segment]? {
    var merge = fitting(ascending)
    var wanted = 2
    while merge.count >= wanted {
      if byteCount(merge) <= budget, isWorthwhile(merge) { return merge }
      merge.removeLast()
      wanted = lateSegmentsPerMerge
    }
    return nil
  }

  /// As many of the smallest as one merge may take.
  private func fitting(_ ascending: [Segment]) -> [Segment] {
    var total: UInt64 = 0
    var chosen: [Segment] = []
    for segment in ascending.prefix(maximumSmallInputs) {
      total += segment.byteCount
      if total > maximumOutputByteCount { break }
      if chosen.count >= maximumInputs, total > smallInputsByteCount { break }
      chosen.append(segment)
    }
    return chosen
  }

  private func isWorthwhile(_ merge: [Segment]) -> Bool {
    guard let largest = merge.last else { return false }
    if largest.byteCount <= freelyMergedByteCount { return true }
    return byteCount(merge.dropLast()) >= largest.byteCount
  }

  private func byteCount(_ segments: some Sequence<Segment>) -> UInt64 {
    segments.reduce(0) { $0 + $1.byteCount }
  }
}
