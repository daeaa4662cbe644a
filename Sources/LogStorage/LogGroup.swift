/// What `varve groups` shows of a log group.
package struct LogGroupSummary: Sendable, Hashable {
  package var name: String
  /// Time of creation, ms.
  package var created: Int64
  /// `nil`: events are kept for ever.
  package var retentionDays: Int?
  /// `nil`: the group may grow without bound.
  package var maximumByteCount: UInt64?
  package var eventCount: UInt64
  /// Bytes of the texts, and bytes on disk.
  package var rawByteCount: UInt64
  package var storedByteCount: UInt64
  /// Oldest and newest event time, ms; `nil` when there are no events. Events that are past the
  /// retention and not yet removed are counted here; queries do not see them.
  package var firstEvent: Int64?
  package var lastEvent: Int64?
  package var segmentCount: Int
  package var streamCount: Int
}

/// What `varve streams` shows of a log stream.
package struct LogStreamSummary: Sendable, Hashable {
  package var name: String
  package var eventCount: UInt64
  /// Bounds of its event times, ms: those of the segments that hold it.
  package var earliest: Int64
  package var latest: Int64
  package var segmentCount: Int
}

extension LogGroupSummary {
  /// - Parameter waiting: the group's records in write-ahead logs.
  init(_ group: ManifestState.GroupState, waiting: [WriteAheadContents.Entry]) {
    name = group.name
    created = group.created
    retentionDays = group.retentionDays.map(Int.init)
    maximumByteCount = group.maximumByteCount
    let segments = group.segments.values
    let heads = waiting.map(\.head)
    eventCount =
      segments.reduce(0) { $0 + $1.rowCount } + heads.reduce(0) { $0 + UInt64($1.rowCount) }
    rawByteCount =
      segments.reduce(0) { $0 + $1.rawByteCount } + heads.reduce(0) { $0 + UInt64($1.rawByteCount) }
    storedByteCount =
      segments.reduce(0) { $0 + $1.byteCount } + waiting.reduce(0) { $0 + UInt64($1.byteCount) }
    firstEvent = (segments.map(\.minTime) + heads.map(\.minTime)).min()
    lastEvent = (segments.map(\.maxTime) + heads.map(\.maxTime)).max()
    segmentCount = segments.count
    streamCount =
      Set((segments.flatMap(\.streams) + heads.flatMap(\.streams)).lazy.map(\.name)).count
  }
}

extension ManifestState.GroupState {
  /// The streams of the group in ascending order of their names.
  ///
  /// - Parameter waiting: the group's records in write-ahead logs.
  /// - Complexity: O(streams in all segments)
  func streams(waiting: [WriteAheadContents.Entry]) -> [LogStreamSummary] {
    var found: [String: LogStreamSummary] = [:]
    func add(_ streams: [StreamCount], from earliest: Int64, to latest: Int64, segments: Int) {
      for stream in streams {
        var summary =
          found[stream.name]
          ?? LogStreamSummary(
            name: stream.name, eventCount: 0, earliest: .max, latest: .min, segmentCount: 0)
        summary.eventCount += stream.rowCount
        summary.earliest = min(summary.earliest, earliest)
        summary.latest = max(summary.latest, latest)
        summary.segmentCount += segments
        found[stream.name] = summary
      }
    }
    for segment in segments.values {
      add(segment.streams, from: segment.minTime, to: segment.maxTime, segments: 1)
    }
    for head in waiting.map(\.head) {
      add(head.streams, from: head.minTime, to: head.maxTime, segments: 0)
    }
    return found.values.sorted { $0.name < $1.name }
  }
}

/// Rules for the names of log groups and streams: those of CloudWatch Logs.
package enum LogName {
  static let longest = 512

  /// Accepts 1 to 512 characters of `[A-Za-z0-9._/#-]`.
  ///
  /// - Throws: `StorageError` `invalidArgument` that names the first character that does not fit.
  package static func checkGroup(_ name: String) throws {
    try checkLength(name, "log group")
    for character in name.unicodeScalars where !isGroupCharacter(character) {
      throw StorageError(
        .invalidArgument,
        "log group name '\(name)': '\(character)' is not allowed; "
          + "use letters, digits and '.', '_', '/', '#', '-'")
    }
  }

  /// Accepts 1 to 512 characters without `:` and `*`.
  ///
  /// - Throws: `StorageError` `invalidArgument`.
  package static func checkStream(_ name: String) throws {
    try checkLength(name, "log stream")
    for character in name.unicodeScalars where character == ":" || character == "*" {
      throw StorageError(
        .invalidArgument, "log stream name '\(name)': '\(character)' is not allowed")
    }
  }

  private static func checkLength(_ name: String, _ kind: String) throws {
    let length = name.unicodeScalars.count
    guard (1...longest).contains(length) else {
      throw StorageError(
        .invalidArgument, "\(kind) name has \(length) characters; allowed are 1 to \(longest)")
    }
  }

  private static func isGroupCharacter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "/", "#", "-": true
    default: false
    }
  }

  /// Up to three of the known names that a person may have meant, the likeliest first.
  ///
  /// - Complexity: O(known names × length²)
  package static func nearest(to name: String, among known: [String]) -> [String] {
    let wanted = Array(name.lowercased().utf8)
    let scored = known.compactMap { candidate -> (score: Int, name: String)? in
      let other = Array(candidate.lowercased().utf8)
      let isPart =
        wanted.count >= 3
        && (candidate.lowercased().contains(name.lowercased())
          || name.lowercased().contains(candidate.lowercased()))
      let distance = editDistance(wanted, other)
      if distance <= max(2, wanted.count / 3) { return (distance, candidate) }
      return isPart ? (wanted.count + distance, candidate) : nil
    }
    return scored.sorted { ($0.score, $0.name) < ($1.score, $1.name) }.prefix(3).map(\.name)
  }

  /// How many bytes must be inserted, removed or changed to turn one name into another
  /// (Levenshtein); one row of the table at a time.
  private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, byte) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, other) in b.enumerated() {
        let substituted = diagonal + (byte == other ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }
}
