import Columnar

/// Functions of dates and times. Times are ms since 1970; rounding takes a literal period, which the analyzer
/// binds (`bin`, `datefloor`, `dateceil`), so their entries here are for help and completion.
enum DateTimeFunctions {
  static let all: [ScalarFunction] = [
    ScalarFunction(
      "bin", .time, [.one("period")], "timestamp", "The event's time, rounded down to the period.",
      example: "bin(5m)"
    ) { _, _ in .missing },
    ScalarFunction(
      "datefloor", .time, [.one("t"), .one("period")], "timestamp",
      "The start of the period a time falls into.",
      example: "datefloor(fromMillis(1700000000000), 1h)"
    ) { _, _ in .missing },
    ScalarFunction(
      "dateceil", .time, [.one("t"), .one("period")], "timestamp",
      "The end of the period a time falls into; a time on a boundary stays.",
      example: "dateceil(fromMillis(1700000000000), 1h)"
    ) { _, _ in .missing },
    ScalarFunction(
      "fromMillis", .time, [.one("n")], "timestamp", "The time so many ms after 1970.",
      example: "fromMillis(1700000000000)"
    ) { arguments, _ in
      arguments[0].number?.truncated.map(Value.timestamp) ?? .missing
    },
    ScalarFunction(
      "toMillis", .time, [.one("t")], "number",
      "Milliseconds from 1970 to a time, which may be a text.",
      example: "toMillis('2026-03-02 10:00:00.000')"
    ) { arguments, _ in milliseconds(arguments[0]).map(Value.integer) ?? .missing },
    ScalarFunction(
      "now", .time, [], "number", "Seconds from 1970 to the start of the query.", example: "now()"
    ) { _, context in .integer(context.now / 1_000) },
    ScalarFunction(
      "parseDate", .time, [.one("s"), .one("pattern"), .optional("zone")], "number",
      "The time that a text shows in a pattern of Java's letters, in epoch ms.",
      example: "parseDate('02/Mar/2026 10:00', 'dd/MMM/yyyy HH:mm')", prepare: prepareParseDate
    ) { arguments, _ in
      guard let pattern = arguments[1].text.flatMap({ try? DatePattern($0) }) else {
        return .missing
      }
      return parse(arguments, pattern, zone(arguments, 2))
    },
    ScalarFunction(
      "formatDate", aliases: ["strftime"], .time, [.one("t"), .one("format"), .optional("zone")],
      "string", "A time as text in strftime's codes.",
      example: "formatDate(fromMillis(1700000000000), '%Y-%m-%d %H:%M', 'Europe/Berlin')",
      prepare: prepareFormatDate
    ) { arguments, _ in
      guard let format = arguments[1].text.flatMap({ try? DateFormat($0) }) else { return .missing }
      return render(arguments, format, zone(arguments, 2))
    },
  ]

  /// A time as ms: a timestamp, a number of ms, or a text that looks like a time.
  static func milliseconds(_ value: Value) -> Int64? {
    switch value {
    case .timestamp(let time): time
    case .string(let text): Timestamp.parse(text) ?? value.number?.truncated
    default: value.number?.truncated
    }
  }

  // MARK: Zones and patterns, checked once where they are literals

  private static func zone(_ arguments: [Value], _ index: Int) -> TimeZoneRules? {
    guard index < arguments.count else { return .utc }
    return arguments[index].text.flatMap(TimeZoneRules.named)
  }

  private static func literalZone(
    _ literals: [Value?], _ index: Int
  ) throws(ArgumentProblem) -> TimeZoneRules? {
    guard index < literals.count else { return .utc }
    guard let literal = literals[index] else { return nil }
    guard let zone = literal.text.flatMap(TimeZoneRules.named) else {
      throw ArgumentProblem(
        argument: index, kind: .unsupportedDateCode(literal.text ?? "this value"))
    }
    return zone
  }

  private static let prepareParseDate:
    @Sendable ([Value?]) throws(ArgumentProblem) -> ScalarFunction.Evaluation? = {
      literals throws(ArgumentProblem) in
      let fixedZone = try literalZone(literals, 2)
      guard let text = literals[1]?.text else { return nil }
      let pattern: DatePattern
      do throws(UnsupportedDateCode) {
        pattern = try DatePattern(text)
      } catch {
        throw ArgumentProblem(argument: 1, kind: .unsupportedDateCode(error.code))
      }
      return { arguments, _ in parse(arguments, pattern, fixedZone ?? zone(arguments, 2)) }
    }

  private static let prepareFormatDate:
    @Sendable ([Value?]) throws(ArgumentProblem) -> ScalarFunction.Evaluation? = {
      literals throws(ArgumentProblem) in
      let fixedZone = try literalZone(literals, 2)
      guard let text = literals[1]?.text else { return nil }
      let format: DateFormat
      do throws(UnsupportedDateCode) {
        format = try DateFormat(text)
      } catch {
        throw ArgumentProblem(argument: 1, kind: .unsupportedDateCode(error.code))
      }
      return { arguments, _ in render(arguments, format, fixedZone ?? zone(arguments, 2)) }
    }

  private static func parse(
    _ arguments: [Value], _ pattern: DatePattern, _ zone: TimeZoneRules?
  ) -> Value {
    guard let text = arguments[0].text, let zone else { return .missing }
    return pattern.milliseconds(in: text, zone: zone).map(Value.integer) ?? .missing
  }

  private static func render(
    _ arguments: [Value], _ format: DateFormat, _ zone: TimeZoneRules?
  ) -> Value {
    guard let time = milliseconds(arguments[0]), let zone else { return .missing }
    return .string(format.text(time, zone: zone))
  }
}

/// A letter or code that a date pattern or format may not hold.
struct UnsupportedDateCode: Error, Sendable, Hashable {
  let code: String
}

/// English names of calendar parts.
enum CalendarNames {
  static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  /// Monday first.
  static let weekdays = [
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
  ]
}
