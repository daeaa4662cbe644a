/// Decides which segments of one day of a log group to merge: sizes in, merges out, no disk.
///
/// A day that still receives events collects segments in tiers of eight times the size; when one
/// tier has eight, they become one segment of the next, so a byte is rewritten about once for each
/// tier. A day that has ended (two hours ago, for late events) is brought down to as few segments
/// as the largest output allows, smallest first:
///
///     1 MiB ×20, 200 MiB   →  16 × 1 MiB become 16 MiB
///     1 MiB ×4, 16, 200    →  all become 220 MiB       (below 256 MiB)
///     220 MiB              →  nothing to do
///
/// A merge that would mostly copy one large segment waits until there is more to add to it. Every
/// merge has fewer segments afterwards, so repeating until nothing is proposed ends; a second run
/// proposes nothing.
package struct CompactionPolicy: Sendable, Hashable {
  /// Segments in one merge: bounds open files and memory.
  package var maximumInputs = 16
  /// Largest output, bytes.
  package var maximumOutputByteCount: UInt64 = 256 << 20
  /// Segments in one tier that are merged while the day goes on.
  package var segmentsPerTier = 8
  /// A segment up to this many bytes is merged with anything; a larger one only when the others
  /// have at least an eighth of its size.
  package var freelyMergedByteCount: UInt64 = 32 << 20
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

  private func sealedMerge(_ ascending: [Segment]) -> [Segment]? {
    let merge = fitting(ascending)
    return isWorthwhile(merge) ? merge : withoutLargest(merge)
  }

  /// The small ones alone may still be worth a merge.
  private func withoutLargest(_ merge: [Segment]) -> [Segment]? {
    let rest = Array(merge.dropLast())
    return isWorthwhile(rest) ? rest : nil
  }

  private func tierMerge(_ ascending: [Segment]) -> [Segment]? {
    var tiers: [Int: [Segment]] = [:]
    for segment in ascending { tiers[tier(segment.byteCount), default: []].append(segment) }
    for number in tiers.keys.sorted() {
      guard let tier = tiers[number], tier.count >= segmentsPerTier else { continue }
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
    for segment in ascending.prefix(maximumInputs) {
      total += segment.byteCount
      if total > maximumOutputByteCount { break }
      chosen.append(segment)
    }
    return chosen
  }

  private func isWorthwhile(_ merge: [Segment]) -> Bool {
    guard merge.count >= 2, let largest = merge.last else { return false }
    if largest.byteCount <= freelyMergedByteCount { return true }
    let rest = merge.dropLast().reduce(0) { $0 + $1.byteCount }
    return rest * 8 >= largest.byteCount
  }
}
