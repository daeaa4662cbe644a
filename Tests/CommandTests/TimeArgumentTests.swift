import Testing

@testable import varve

@Suite struct TimeArgumentTests {
  /// 2026-03-14T12:00:00Z.
  private let now: Int64 = 1_773_489_600_000

  private static let times: [(String, Int64)] = [
    ("now", 1_773_489_600_000),
    ("3h", 1_773_489_600_000 - 3 * 3_600_000),
    ("-3h", 1_773_489_600_000 - 3 * 3_600_000),
    ("1h30m", 1_773_489_600_000 - 5_400_000),
    ("250ms", 1_773_489_600_000 - 250),
    ("2d", 1_773_489_600_000 - 172_800_000),
    ("1w", 1_773_489_600_000 - 604_800_000),
    ("1773457200", 1_773_457_200_000),
    ("1773457200123", 1_773_457_200_123),
    ("2026-03-14T03:00:00Z", 1_773_457_200_000),
    ("2026-03-14T04:00:00+01:00", 1_773_457_200_000),
    ("2026-03-14T04:00+0100", 1_773_457_200_000),
    ("2026-03-14 03:00:00.250", 1_773_457_200_250),
    ("2026-03-14T03:00:00.2509999Z", 1_773_457_200_250),
    ("2026-03-14", 1_773_446_400_000),
    ("1969-12-31T23:59:59.999Z", -1),
    ("2024-02-29", 1_709_164_800_000),
  ]

  @Test(arguments: times)
  func `every form of a time means what it says`(text: String, expected: Int64) {
    #expect(TimeArgument.parse(text, now: now) == expected)
  }

  @Test(arguments: [
    "", "h", "3", "3x", "3 h", "yesterday", "2026-02-29", "2026-13-01", "2026-03-14T25:00",
    "2026-03-14T03:00:00Zulu", "2026-03-14T03:00:00.", "12-03-2026", "1mo", "99999999999999999999h",
  ])
  func `what is no time is refused`(text: String) {
    #expect(TimeArgument.parse(text, now: now) == nil)
  }

  @Test func `a date alone is its first moment as a start and its last as an end`() {
    let midnight: Int64 = 1_773_446_400_000
    let last = midnight + 86_399_999
    #expect(TimeArgument.parse("2026-03-14", now: now) == midnight)
    #expect(TimeArgument.parse("2026-03-14", now: now, date: .lastMoment) == last)
  }
}
