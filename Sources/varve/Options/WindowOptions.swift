import ArgumentParser

/// Which times of events a command reads.
struct WindowOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Only events of the last so long: 3h, 2d, 1h30m.", valueName: "duration"))
  var since: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Only events from this time on: ISO 8601, epoch seconds or milliseconds, now, or a time back (3h). A date alone is its first moment.",
      valueName: "time"))
  var start: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Only events up to and including this time. A date alone is its last moment.",
      valueName: "time"))
  var end: String?

  @OptionGroup var clock: ClockOptions

  /// Both ends inclusive; `nil` when no time was given.
  func window(now: Int64) throws -> ClosedRange<Int64>? {
    if let since {
      guard start == nil, end == nil else {
        throw CommandFailure.usage("--since cannot stand beside --start or --end; use one of them")
      }
      let length = since.hasPrefix("-") ? String(since.dropFirst()) : since
      guard let back = TimeArgument.duration(length) else {
        throw CommandFailure.usage(
          "--since '\(since)' is no length of time; write 3h, 2d or 1h30m, or use --start")
      }
      return (now - back)...now
    }
    guard start != nil || end != nil else { return nil }
    let first = try start.map { try time($0, option: "--start", now: now, date: .firstMoment) }
    let last = try end.map { try time($0, option: "--end", now: now, date: .lastMoment) }
    guard (first ?? .min) <= (last ?? .max) else {
      throw CommandFailure.usage(
        "--start \(start ?? "") lies after --end \(end ?? ""): no event can be between them")
    }
    return (first ?? .min)...(last ?? .max)
  }

  private func time(
    _ text: String, option: String, now: Int64, date: TimeArgument.DateMeaning
  ) throws -> Int64 {
    guard let time = TimeArgument.parse(text, now: now, date: date) else {
      throw CommandFailure.usage("\(option) '\(text)' is no time; \(TimeArgument.forms)")
    }
    return time
  }
}
