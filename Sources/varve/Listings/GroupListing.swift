import Columnar
import LogStorage

/// What `groups`, `streams` and `retention show` print.
enum GroupListing {
  static func groups(_ store: LogStore) throws -> Listing {
    var listing = Listing(
      ("group", .text), ("events", .count), ("raw", .bytes), ("stored", .bytes), ("first", .time),
      ("last", .time), ("retentionDays", .text), ("streams", .count))
    for group in try store.groups() {
      listing.add(
        .string(group.name), Value(group.eventCount), Value(group.rawByteCount),
        Value(group.storedByteCount), Value(time: group.firstEvent), Value(time: group.lastEvent),
        Value(group.retentionDays), Value(group.streamCount))
    }
    return listing
  }

  static func streams(_ store: LogStore, of group: String) throws -> Listing {
    var listing = Listing(
      ("stream", .text), ("events", .count), ("first", .time), ("last", .time))
    for stream in try store.streams(of: group) {
      listing.add(
        .string(stream.name), Value(stream.eventCount), Value(time: stream.earliest),
        Value(time: stream.latest))
    }
    return listing
  }

  static func retention(_ store: LogStore, group: String?) throws -> Listing {
    var listing = Listing(("group", .text), ("retentionDays", .text), ("maxBytes", .bytes))
    if let group { _ = try store.streams(of: group) }  // an unknown group is an error, not a gap
    for summary in try store.groups() where group == nil || summary.name == group {
      listing.add(
        .string(summary.name), summary.retentionDays.map { Value($0) } ?? .string("never"),
        summary.maximumByteCount.map { Value($0) } ?? .missing)
    }
    return listing
  }
}
