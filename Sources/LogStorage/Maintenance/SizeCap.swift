/// Decides what goes from a group that has grown beyond its size limit: the oldest row groups, until
/// the rest fits.
///
/// Age is that of a row group's newest event. A segment whose row groups all go is removed as a
/// whole, which reads nothing; of others the row groups that stay are copied as bytes. Nothing
/// smaller than a row group goes, so a group ends up to one row group (64 Ki events at most) below
/// its limit:
///
///     limit 10     A 4 (Monday)   B1 3, B2 3 (Tuesday)   C 6 (Wednesday)      16 in all
///     A goes: 12   B1 goes: 9     B is written anew with B2 alone
struct SizeCap {
  /// Row groups to remove, by segment.
  struct Surplus {
    fileprivate var entries: [SegmentRecord: [RowGroupEntry]] = [:]

    var segments: [SegmentRecord] { Array(entries.keys) }

    /// Whether all row groups of a segment go.
    func removesWhole(_ segment: SegmentRecord) -> Bool {
      entries[segment]?.count == Int(segment.rowGroupCount)
    }

    func contains(_ entry: RowGroupEntry, of segment: SegmentRecord) -> Bool {
      entries[segment]?.contains { $0.offset == entry.offset } ?? false
    }

    /// The part that concerns some segments.
    func only(_ segments: [SegmentRecord]) -> Surplus {
      Surplus(entries: entries.filter { segments.contains($0.key) })
    }

    var rowCount: UInt64 {
      entries.values.joined().reduce(0) { $0 + UInt64($1.rowCount) }
    }

    /// Bytes on disk: of whole segments all, of others those of the row groups.
    var byteCount: UInt64 {
      entries.reduce(0) { sum, item in
        sum
          + (removesWhole(item.key) ? item.key.byteCount : item.value.reduce(0) { $0 + $1.length })
      }
    }
  }

  let store: LogStore

  /// What must go from a group with these segments; nothing without a limit. A segment that cannot
  /// be opened goes only as a whole: nobody can tell its row groups apart.
  func surplus(of segments: [SegmentRecord], limit: UInt64?) -> Surplus {
    var left = segments.reduce(0) { $0 + $1.byteCount }
    guard let limit, left > limit else { return Surplus() }
    var parts: [(segment: SegmentRecord, entry: RowGroupEntry?)] = []
    for segment in segments {
      if let opened = try? store.cache.open(segment, countBytes: { _ in }) {
        parts += opened.rowGroups.map { (segment, $0) }
      } else {
        parts.append((segment, nil))
      }
    }
    parts.sort {
      ($0.entry?.maxTime ?? $0.segment.maxTime, $0.segment.id, $0.entry?.offset ?? 0)
        < ($1.entry?.maxTime ?? $1.segment.maxTime, $1.segment.id, $1.entry?.offset ?? 0)
    }
    var surplus = Surplus()
    for (segment, entry) in parts where left > limit {
      guard let entry else {
        // Its row groups are unknown: entries of its record stand for them.
        surplus.entries[segment] = Self.standIns(for: segment)
        left -= min(left, segment.byteCount)
        continue
      }
      surplus.entries[segment, default: []].append(entry)
      left -= min(left, entry.length)
      if surplus.removesWhole(segment) {
        // Header, directory and footer go with the last row group.
        let inside = surplus.entries[segment, default: []].reduce(0) { $0 + $1.length }
        left -= min(left, segment.byteCount - min(segment.byteCount, inside))
      }
    }
    return surplus
  }

  private static func standIns(for segment: SegmentRecord) -> [RowGroupEntry] {
    let count = UInt64(max(1, segment.rowGroupCount))
    return (0..<count).map { index in
      RowGroupEntry(
        offset: index, length: 0, metadataOffset: 0, metadataLength: 0, check: 0,
        rowCount: UInt32(
          clamping: segment.rowCount / count + (index < segment.rowCount % count ? 1 : 0)),
        rawByteCount: 0, minTime: segment.minTime, maxTime: segment.maxTime,
        minIngestTime: segment.minIngestTime, maxIngestTime: segment.maxIngestTime,
        sequenceBase: 0, minSequence: 0, maxSequence: 0, contentSum: ContentSum())
    }
  }
}
