import Columnar
import Testing

@Suite struct NumberFormatTests {
  private static let shown: [(Double, String)] = [
    (0.0, "0"), (-0.0, "0"), (1, "1"), (-1, "-1"), (230, "230"), (3.5, "3.5"),
    (2.0 / 3, "0.6667"), (-2.0 / 3, "-0.6667"), (1.23456, "1.2346"), (1.00004, "1"),
    (0.99995, "1"), (9.99999, "10"), (99_999.99999, "100000"), (-0.99999, "-1"),
    (1.00005, "1"), (1.00015, "1.0002"), (1.00025, "1.0002"), (2.000051, "2.0001"),
    (0.1 + 0.2, "0.3"), (0.0001, "0.0001"), (0.00014999, "0.0001"), (0.00016, "0.0002"),
    (0.000099999, "0.0001"), (0.00005, "0.00005"), (0.0000123456, "0.00001235"),
    (-0.0000123456, "-0.00001235"), (0.000012345, "0.00001234"), (0.000012355, "0.00001236"),
    (1e-10, "0.0000000001"), (1e15 + 0.5, "1000000000000000.5"),
    (9_007_199_254_740_992, "9007199254740992"), (1e18, "1000000000000000000"),
    (-0x1p63, "-9223372036854775808"), (0x1p63, "9223372036854776000"),
    (1e19, "10000000000000000000"),
    (1e20, "100000000000000000000"), (999_999_999_999_999_868_928, "999999999999999900000"),
    (1e21, "1e+21"), (1.5e300, "1.5e+300"), (-1e300, "-1e+300"),
  ]

  @Test(arguments: shown)
  func `numbers are shown rounded`(number: Double, text: String) {
    #expect(NumberFormat.displayText(number) == text)
  }

  private static let exact: [(Double, String)] = [
    (1.0 / 3, "0.3333333333333333"), (0.1 + 0.2, "0.30000000000000004"), (1e-7, "0.0000001"),
    (5, "5"), (-0.0, "0"), (1e21, "1e+21"), (123456.789, "123456.789"), (1e16, "10000000000000000"),
  ]

  @Test(arguments: exact)
  func `exact texts keep every digit`(number: Double, text: String) {
    #expect(NumberFormat.exactText(number) == text)
  }

  @Test func `whole numbers of every size`() {
    for number in [0, 7, -7, 10, -10, 1_234_567_890, Int64.max, .min] {
      var bytes: [UInt8] = []
      NumberFormat.append(number, to: &bytes)
      #expect(String(decoding: bytes, as: UTF8.self) == String(number))
    }
  }

  @Test func `numbers of events keep their text unless it is the canonical one`() {
    for text in ["0", "7", "-7", "9223372036854775807", "-9223372036854775808"] {
      #expect(source(text) == .integer(Int64(text)!))
    }
    for text in [
      "-0", "1.0", "1e5", "1E5", "0.10", "9223372036854775808", "-9223372036854775809", "1e-400",
    ] {
      #expect(source(text) == .sourceNumber(SourceNumber(value: Double(text)!, text: text)))
    }
    #expect(source("1e999") == .string("1e999"))
  }
}
