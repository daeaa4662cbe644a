/// Decides which segments of one day of a log group to merge: sizes in, merges out, no disk.
///
/// A day that still receives events collects segments in tiers of eight times the size; when one
/// tier has sixteen (of small segments, twenty-four), they become one segment of a tier above, so a byte is
/// rewritten about once for each tier. A day that has ended (two hours ago, for late events) is brought down to few
/// segments, smallest first:
///
///     1 MiB ×20, 200 MiB   →  all but the largest become 20 MiB
///     20 MiB ×4, 60        →  all become 140 MiB
///     80 MiB, 1 MiB        →  nothing to do: 80 would be written again for the sake of 1
///     80 MiB, 50, 30       →  all become 160 MiB
///
/// The last two are what late events of a day lead to: they collect beside the large segment until they are as
/// much.
///
/// *Write amplification*, bytes that merges write for each byte first written: with sixteen to a tier two tiers take up to
/// 384 segments a day, and the merge when the day has ended is the third time. More segments are small ones, of which up to
/// 64 are merged at once. `WriteAmplificationTests` measures it for all sorts of days: it stays below 3.
///
/// Every merge has fewer segments afterwards, so repeating until nothing is proposed ends; a second run
/// proposes nothing.
package struct CompactionPolicy: Sendable, Hashable {
  /// Segments in one merge: bounds open files and memory.
  package var maximumInputs = 16
  /// The same while all of them together are small.
  package var maximumSmallInputs = 64
  package var smallInputsByteCount: UInt64 = 16 << 20
  /// Largest output, bytes.
  package var maximumOutputByteCount: UInt64 = 256 << 20
  /// Segments in one tier that are merged while the day goes on.
  package var segmentsPerTier = 16
  /// The same in the two lowest tiers.
  package var smallSegmentsPerTier = 24
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

    package init(id: SegmentID, byteCount: UInt64) {
      self.id = id
      self.byteCount = byteCount
    }
  }

  /// The next merge of a day, or `nil` when it is fine as it is.
  package func nextMerge(_ segments: [Segment], day: Int64, now: Int64) -> [SegmentID]? {
    let ascending = segments.sorted { ($0.byteCount, $0.id) < ($1.byteCount, $1.id) }
    let merge = isSealed(day, now: now) ? sealedMerge(ascending) : tierMerge(ascending)
    return merge.map { $0.map(\.id) }
  }

  /// Whether a day has ended long enough ago.
  package func isSealed(_ day: Int64, now: Int64) -> Bool {
    let (end, overflow) = (day + 1).multipliedReportingOverflow(by: Day.milliseconds)
    return !overflow && end.addingReportingOverflow(sealingDelay).partialValue < now
  }

  /// As many of the smallest as are worth it: large ones that the others do not weigh up are left as they are.
  private func sealedMerge(_ ascending: [Segment]) -> [Segment]? {
    var merge = fitting(ascending)
    while !isWorthwhile(merge) {
      guard merge.count > 2 else { return nil }
      merge.removeLast()
    }
    return merge
  }

  private func tierMerge(_ ascending: [Segment]) -> [Segment]? {
    var tiers: [Int: [Segment]] = [:]
    for segment in ascending { tiers[tier(segment.byteCount), default: []].append(segment) }
    for number in tiers.keys.sorted() {
      let wanted = number < 2 ? smallSegmentsPerTier : segmentsPerTier
      guard let tier = tiers[number], tier.count >= wanted else { continue }
      let merge = fitting(tier)
      if merge.count >= segmentsPerTier { return merge }
    }
    return nil
  }

  /// Tier 0 ends at 64 KiB, each further one at eight times that.
  private func tier(_ byteCount: UInt64) -> Int {
    var number = 0
    var end: UInt64 = 64 << 10
    while byteCount > end, number < 16 {
      number += 1
      end *= 8
    }
    return number
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
    guard merge.count >= 2, let largest = merge.last else { return false }
    if largest.byteCount <= freelyMergedByteCount { return true }
    let rest = merge.dropLast().reduce(0) { $0 + $1.byteCount }
    return rest >= largest.byteCount
  }
}
