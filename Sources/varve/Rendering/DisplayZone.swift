import ArgumentParser
import Glibc

/// The zone in which timestamps are shown; the store and the language know UTC only.
struct DisplayZone: ExpressibleByArgument {
  private enum Kind {
    /// Milliseconds east of UTC, all year.
    case fixed(Int64)
    /// The rules that the C library took from `TZ`.
    case rules
  }

  private let kind: Kind

  /// What help shows as the default.
  var defaultValueDescription: String { "UTC" }

  static let utc = DisplayZone(kind: .fixed(0))

  private init(kind: Kind) { self.kind = kind }

  /// `UTC`, `local`, an offset such as `+02:00`, or a name such as `Europe/Berlin`.
  init?(argument: String) {
    if argument.uppercased() == "UTC" || argument == "Z" {
      self = .utc
    } else if let offset = Self.offset(argument) {
      kind = .fixed(offset)
    } else if argument == "local" {
      tzset()
      kind = .rules
    } else if Self.isKnown(argument) {
      setenv("TZ", argument, 1)
      tzset()
      kind = .rules
    } else {
      return nil
    }
  }

  /// Milliseconds to add to a UTC time for display.
  func offset(at time: Int64) -> Int64 {
    switch kind {
    case .fixed(let offset): return offset
    case .rules:
      var (seconds, parts) = (time_t(time >= 0 ? time / 1_000 : (time - 999) / 1_000), tm())
      localtime_r(&seconds, &parts)
      return Int64(parts.tm_gmtoff) * 1_000
    }
  }

  private static func offset(_ text: String) -> Int64? {
    guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
    let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, let hours = Int64(parts[0]), (0...18).contains(hours),
      let minutes = parts.count == 2 ? Int64(parts[1]) : 0, (0...59).contains(minutes)
    else { return nil }
    return (sign == "-" ? -1 : 1) * (hours * 60 + minutes) * 60_000
  }

  private static func isKnown(_ name: String) -> Bool {
    let isPlain = name.utf8.allSatisfy { byte in
      UnicodeScalar(byte).properties.isAlphabetic || (48...57).contains(byte)
        || [0x2B, 0x2D, 0x2F, 0x5F].contains(byte)
    }
    return isPlain && !name.isEmpty && access("/usr/share/zoneinfo/\(name)", R_OK) == 0
  }
}
