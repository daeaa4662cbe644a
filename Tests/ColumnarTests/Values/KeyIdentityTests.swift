import Columnar
import Testing

@Suite struct KeyIdentityTests {
  /// Values of one line are one key, values of different lines are not.
  private static let keys: [[Value]] = [
    [.missing, .list([.integer(1)]), .map(ValueMap())],
    [.string("")],
    [
      .integer(200), .double(200), .string("200"), source("200.0"), source("2e2"), source("20.0e1"),
    ],
    [.string("200.0")], [.string("2e2")], [.string("007")], [.string("+7")],
    [.integer(7), .string("7"), source("7.000")],
    [.integer(0), .double(-0.0), source("-0"), source("0e5"), .string("0"), .boolean(false)],
    [.integer(1), .boolean(true), .string("1")],
    [.jsonBoolean(true), .string("true")],
    [.jsonBoolean(false), .string("false")], [.string("TRUE")],
    [.double(0.1), source("0.10"), source("1e-1"), .string("0.1")],
    [.double(-1.5), source("-15e-1"), .string("-1.5")],
    [source("18446744073709551616"), .string("18446744073709551616")],
    [source("18446744073709551617")],
    [.double(1e21), source("1e21"), source("1000000000000000000000"), .string("1e+21")],
    [.double(1e20), source("1e20"), .string("100000000000000000000")],
    [.timestamp(0), .string("1970-01-01 00:00:00.000")],
    [source("1e-300")], [.string(String(repeating: "x", count: 126))],
    [.string(String(repeating: "x", count: 127))], [.string(String(repeating: "x", count: 20_000))],
  ]

  @Test func `values are one key when their texts agree, spelling of numbers aside`() {
    for (i, values) in Self.keys.enumerated() {
      for (j, others) in Self.keys.enumerated() {
        for value in values {
          for other in others {
            #expect(
              (KeyIdentity.key(of: value) == KeyIdentity.key(of: other)) == (i == j),
              "\(value) \(other)")
          }
        }
      }
    }
  }

  @Test func `decimals have the key of their value`() {
    for (mantissa, scale, text) in [
      (Int64(150), 2, "1.5"), (200, 0, "200"), (2_000, 1, "200"), (-5, 3, "-0.005"), (0, 3, "0"),
      (100, 2, "1"), (-1_050, 3, "-1.05"),
    ] {
      var key: [UInt8] = []
      KeyIdentity.append(mantissa: mantissa, scale: scale, to: &key)
      #expect(key == KeyIdentity.key(of: .string(text)))
    }
  }

  @Test func `keys in a row cannot be taken for others`() {
    func joined(_ values: [Value]) -> [UInt8] {
      values.reduce(into: []) { KeyIdentity.append($1, to: &$0) }
    }
    let rows: [[Value]] = [
      [.string("a"), .string("bc")], [.string("ab"), .string("c")], [.string("abc"), .string("")],
      [.string("abc"), .missing], [.missing, .string("abc")], [.missing, .missing],
      [.string(""), .missing], [.string("\u{1}"), .missing], [source("1e-300"), .integer(1)],
    ]
    #expect(Set(rows.map(joined)).count == rows.count)
  }
}
