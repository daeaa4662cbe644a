import Columnar
import TestSupport
import Testing

@Suite struct TimestampTests {
  @Test(
    arguments: [
      (0, "1970-01-01 00:00:00.000"), (1, "1970-01-01 00:00:00.001"),
      (-1, "1969-12-31 23:59:59.999"), (1_772_445_600_000, "2026-03-02 10:00:00.000"),
      (951_782_400_000, "2000-02-29 00:00:00.000"),
      (253_402_300_799_999, "9999-12-31 23:59:59.999"),
      (253_402_300_800_000, "+10000-01-01T00:00:00.000Z"),
      (-62_167_219_200_000, "0000-01-01 00:00:00.000"),
      (-62_167_219_200_001, "-0001-12-31T23:59:59.999Z"),
      (.max, "+292278994-08-17T07:12:55.807Z"), (.min, "-292275055-05-16T16:47:04.192Z"),
    ] as [(Int64, String)])
  func `times print and come back`(time: Int64, text: String) {
    #expect(Timestamp.text(time) == text)
    #expect(Timestamp.parse(text) == time)
  }

  @Test func `random times come back`() {
    let seed: UInt64 = 0x71AE
    var random = SeededGenerator(seed: seed)
    for _ in 0..<5_000 {
      let time = Int64.random(in: -400_000_000_000_000...400_000_000_000_000, using: &random)
      #expect(Timestamp.parse(Timestamp.text(time)) == time, "seed \(seed)")
      let civil = CivilTime(milliseconds: time)
      #expect(civil.milliseconds == time, "seed \(seed)")
      let next = CivilTime(milliseconds: time + 86_400_000)
      #expect(next.weekday == civil.weekday % 7 + 1, "seed \(seed)")
      #expect(next.dayOfYear == (next.year == civil.year ? civil.dayOfYear + 1 : 1))
    }
  }

  @Test(
    arguments: [
      ("2026-03-02", 1_772_409_600_000), ("2026-03-02T10:00Z", 1_772_445_600_000),
      ("2026-03-02 10:00", 1_772_445_600_000), ("2026-03-02t10:00:00z", 1_772_445_600_000),
      ("2026-03-02T10:00:00.1", 1_772_445_600_100), ("2026-03-02T10:00:00,12", 1_772_445_600_120),
      ("2026-03-02T10:00:00.123456789Z", 1_772_445_600_123),
      ("2026-03-02T11:30:00+01:30", 1_772_445_600_000),
      ("2026-03-02T05:00:00-0500", 1_772_445_600_000),
      ("2026-03-02T12:00:00+02", 1_772_445_600_000),
      ("2026-03-02T09:59:60Z", 1_772_445_600_000), ("2024-02-29", 1_709_164_800_000),
    ] as [(String, Int64)])
  func `ISO 8601 texts are times`(text: String, time: Int64) {
    #expect(Timestamp.parse(text) == time)
  }

  @Test(arguments: [
    "", "2026", "2026-03", "2026-3-2", "2026-02-29", "2026-13-01", "2026-00-10", "2026-01-00",
    "2026-03-02 ", "2026-03-02X10:00", "2026-03-02T24:00", "2026-03-02T10:60", "2026-03-02T10",
    "2026-03-02T10:00:61", "2026-03-02T10:00:00.", "2026-03-02T10:00:00+1",
    "2026-03-02T10:00:00+25:00", "2026-03-02T10:00:00+01:", "2026-03-02T10:00:00Zx",
    "2026-03-02  10:00:00", "2026/03/02", "20260302", "1772445600000", "+999999999-01-01",
  ])
  func `other texts are none`(text: String) {
    #expect(Timestamp.parse(text) == nil)
  }

  @Test func `days of months and weeks`() {
    #expect(CivilTime(milliseconds: 0).weekday == 4)
    #expect(CivilTime(milliseconds: -86_400_000).weekday == 3)
    #expect(CivilTime.dayCount(year: 1900, month: 2) == 28)
    #expect(CivilTime.dayCount(year: 2000, month: 2) == 29)
    #expect(CivilTime(year: 2024, month: 12, day: 31).dayOfYear == 366)
  }
}
