import Columnar

/// Where the parts of a store lie under its root.
///
/// ```text
/// root/  FORMAT             the version of the store, one line
///        CURRENT            the name of the manifest log in force
///        manifest-<n>.log   what there is: groups, segments, bookmarks
///        manifest.end       how far the manifest log reached, a hint: shows when its end has gone
///        locks/             files that processes lock, never renamed: manifest, gc, maintenance
///        pins/              one file for each reader, locked while it reads
///        segments/g<group>/<day>/<id>.seg
///        rejected/<group>.ndjson   lines that could not become events, and why
///        rejected/<group>.end      how far that file reached, a hint
///        lookups/<name>.csv lookup tables, made with the first one
///        saved/<name>.query saved queries, made with the first one
///        damaged/           damaged segments that a repair has replaced, damaged logs
///        wal/<id>.wal       acknowledged events that are in no segment yet
///        tmp/               files being written
/// ```
package struct FileNames: Sendable, Hashable {
  /// The directory of the store, without a slash at its end.
  package let root: String

  package init(root: String) {
    var root = root
    while root.utf8.count > 1, root.hasSuffix("/") { root.removeLast() }
    self.root = root
  }

  package var format: String { root + "/FORMAT" }
  package var current: String { root + "/CURRENT" }
  package var manifestEnd: String { root + "/manifest.end" }
  package var locks: String { root + "/locks" }
  package var pins: String { root + "/pins" }
  package var segments: String { root + "/segments" }
  package var rejected: String { root + "/rejected" }
  package var lookups: String { root + "/lookups" }
  package var savedQueries: String { root + "/saved" }
  package var damaged: String { root + "/damaged" }
  package var temporary: String { root + "/tmp" }
  /// Made with the first log: stores of bulk loads have none.
  package var writeAheadLogs: String { root + "/wal" }
  package var manifestLock: String { locks + "/manifest" }
  package var collectionLock: String { locks + "/gc" }
  package var maintenanceLock: String { locks + "/maintenance" }

  /// The directories that a new store has from the start.
  var directories: [String] { [locks, pins, segments, rejected, temporary] }

  func manifestLog(_ number: UInt64) -> String { "\(root)/manifest-\(number).log" }

  /// The number of a manifest log by its name, or `nil` for the name of something else.
  static func manifestNumber(_ name: String) -> UInt64? {
    guard name.hasPrefix("manifest-"), name.hasSuffix(".log") else { return nil }
    return UInt64(name.dropFirst(9).dropLast(4))
  }

  func writeAheadLog(_ id: UInt64) -> String { "\(writeAheadLogs)/\(hex(id)).wal" }

  /// The number of a write-ahead log by its name, or `nil` for the name of something else.
  static func writeAheadLogID(_ name: String) -> UInt64? {
    guard name.hasSuffix(".wal"), name.utf8.count == 20 else { return nil }
    return UInt64(name.dropLast(4), radix: 16)
  }

  func groupDirectory(_ group: UInt64) -> String { "\(segments)/g\(group)" }

  func dayDirectory(group: UInt64, day: Int64) -> String {
    "\(groupDirectory(group))/\(Day.text(day))"
  }

  /// Where a segment lies.
  package func segment(_ id: SegmentID, group: UInt64, day: Int64) -> String {
    "\(dayDirectory(group: group, day: day))/\(id).seg"
  }

  func temporarySegment(_ id: SegmentID) -> String { "\(temporary)/\(id).seg" }

  /// The file of the lines of a group that were rejected.
  package func rejectedFile(group: String) -> String { rejectedName(group) + ".ndjson" }

  /// How far that file reached.
  func rejectedEnd(group: String) -> String { rejectedName(group) + ".end" }

  /// Names of groups may hold slashes and be longer than a file name; those are shortened, with a hash
  /// that keeps them apart.
  private func rejectedName(_ group: String) -> String {
    var name = ""
    for byte in group.utf8 {
      switch byte {
      case UInt8(ascii: "/"): name += "%2F"
      case UInt8(ascii: ".") where name.isEmpty: name += "%2E"
      default: name.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
    if name.utf8.count > 200 {
      name = name.prefix(180) + "~" + hex(XXH64.hash(Array(group.utf8)))
    }
    return "\(rejected)/\(name)"
  }
}

/// The name of a segment: 128 random bits, so that processes need not agree on a number.
package struct SegmentID: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  init(random: any RandomSource) {
    self.init(high: random.next(), low: random.next())
  }

  /// Reads 32 hexadecimal digits.
  package init?(_ text: some StringProtocol) {
    guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
      let low = UInt64(text.suffix(16), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }

  package var description: String { hex(high) + hex(low) }

  package static func < (a: SegmentID, b: SegmentID) -> Bool {
    (a.high, a.low) < (b.high, b.low)
  }
}

/// Days of the calendar, counted from 1970-01-01 in UTC.
package enum Day {
  package static let milliseconds: Int64 = 86_400_000

  /// The day that a time in ms lies in.
  package static func containing(_ time: Int64) -> Int64 {
    let quotient = time / milliseconds
    return time % milliseconds < 0 ? quotient - 1 : quotient
  }

  /// The first ms after a day.
  static func end(of day: Int64) -> Int64 {
    let (end, overflow) = (day + 1).multipliedReportingOverflow(by: milliseconds)
    return overflow ? .max : end
  }

  /// `2026-11-21`, in the proleptic Gregorian calendar.
  package static func text(_ day: Int64) -> String {
    let date = CivilTime.date(daysSince1970: Int(day))
    return
      "\(padded(Int64(date.year), 4))-\(padded(Int64(date.month), 2))-\(padded(Int64(date.day), 2))"
  }

  /// `2026-11-21T03:00:00.000Z`, for messages.
  package static func timeText(_ time: Int64) -> String {
    let day = containing(time)
    let rest = time - day * milliseconds
    let clock = "\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2))"
    return "\(text(day))T\(clock):\(padded(rest / 1000 % 60, 2)).\(padded(rest % 1000, 3))Z"
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number.magnitude)
    let zeros = String(repeating: "0", count: max(0, width - digits.utf8.count))
    return (number < 0 ? "-" : "") + zeros + digits
  }
}

/// Two hexadecimal digits for each byte.
package func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
