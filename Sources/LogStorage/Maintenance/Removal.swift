/// One removal of events as a record of the manifest tells it: the audit trail of the store.
///
/// Merges are none: their events live on.
package struct Removal: Sendable, Hashable {
  /// Time of the record, ms.
  package var time: Int64
  /// Number of the record, by which it is found in the chain.
  package var generation: UInt64
  package var logGroup: String
  package var reason: RemovalReason
  /// Segments that were removed, those that were written anew without some events among them.
  package var segmentCount: Int
  /// Events that went.
  package var rowCount: UInt64
  /// Why, where somebody said so.
  package var note: String?
}

extension LogStore {
  /// All removals that the kept logs of the manifest tell, the oldest first.
  package func removals() throws -> [Removal] { try verify(chainOnly: true).removals }
}

extension ManifestTransaction {
  /// What the transaction removes from a state: by group, the events of segments that go less those
  /// of segments that come.
  func removals(from state: ManifestState, generation: UInt64) -> [Removal] {
    var found: [UInt64: Removal] = [:]
    var added: [UInt64: UInt64] = [:]
    var notes: [UInt64: String] = [:]
    func remove(
      _ segments: some Collection<SegmentRecord>, _ group: UInt64, _ reason: RemovalReason
    ) {
      var removal =
        found[group]
        ?? Removal(
          time: time, generation: generation, logGroup: state.groups[group]?.name ?? "\(group)",
          reason: reason, segmentCount: 0, rowCount: 0)
      removal.segmentCount += segments.count
      removal.rowCount += segments.reduce(0) { $0 + $1.rowCount }
      found[group] = removal
    }
    for action in actions {
      switch action {
      case .segmentRemoved(let id, let group, _, let reason) where reason != .compacted:
        if let segment = state.groups[group]?.segments[id] { remove([segment], group, reason) }
      case .groupDeleted(let id):
        if let group = state.groups[id] { remove(group.segments.values, id, .deleted) }
        notes[id] = "the whole group"
      case .streamDeleted(let group, let name): notes[group] = "stream \(name)"
      case .removalNoted(let note): notes[note.group] = note.text
      case .segmentAdded(let segment): added[segment.group, default: 0] += segment.rowCount
      default: break
      }
    }
    return found.keys.sorted().compactMap { group in
      guard var removal = found[group] else { return nil }
      removal.rowCount -= min(removal.rowCount, added[group] ?? 0)
      removal.note = notes[group]
      return removal
    }
  }
}
