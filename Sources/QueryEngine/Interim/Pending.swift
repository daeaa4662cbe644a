import Columnar
import QueryLanguage

struct RegexFailure: Error { let message: String; let offset: Int }
final class CompiledRegex: Sendable {
  let pattern: String
  let captureNames: [String?]
  init(_ pattern: String) throws(RegexFailure) {
    throw RegexFailure(message: "regular expressions are not available yet", offset: 0)
  }
  func matches(_ text: String) -> Bool { ByteSearch(Array(pattern.utf8)).isIn(text) }
  func rows(in v: StringVector) -> Bitmap { ByteSearch(Array(pattern.utf8)).rows(in: v) }
  func firstMatch(in v: StringVector, row: Int) -> [Range<Int>?]? { nil }
  func allMatches(in v: StringVector, row: Int) -> [[Range<Int>?]] { [] }
}
struct Period: Sendable {
  let d: DurationLiteral
  init(_ d: DurationLiteral) { self.d = d }
  var ms: Int64 { Int64(d.count) * (d.unit.milliseconds ?? 2_592_000_000) }
  func shift(_ t: Int64, isNegative: Bool) -> Int64 { isNegative ? t - ms : t + ms }
  func floor(_ t: Int64) -> Int64 { let r = t % ms; return r < 0 ? t - r - ms : t - r }
  func floor(_ ts: [Int64]) -> [Int64] { ts.map { floor($0) } }
  func ceil(_ t: Int64) -> Int64 { let f = floor(t); return f == t ? t : f + ms }
}
struct ScalarFunction: Sendable { let name: String; var mayReturnStructure: Bool { false } }
struct PreparedCall: Sendable {}
struct FunctionContext: Sendable { var now: Int64 = 0; var window: ClosedRange<Int64>? = nil }
extension BoundCall {
  func evaluate(_ args: [ColumnVector], rowCount: Int, context: FunctionContext) -> ColumnVector {
    .missing(count: rowCount)
  }
}
enum TimeText { static func parse(_ s: String) -> Int64? { nil } }
extension Value {
  var text: String? {
    switch self {
    case .string(let s): s
    case .integer(let i): String(i)
    case .timestamp(let i): String(i)
    case .double(let d): d == d.rounded() ? String(Int64(d)) : String(d)
    case .sourceNumber(let s): s.text
    case .boolean(let b): b ? "1" : "0"
    case .jsonBoolean(let b): b ? "true" : "false"
    default: nil
    }
  }
  var time: Int64? {
    switch self {
    case .timestamp(let t), .integer(let t): t;
    default: nil
    }
  }
}
extension RowSort {
  static func less(_ a: Value, _ b: Value) -> Int {
    func cls(_ v: Value) -> Int { v.isMissing ? 0 : v.number == nil ? 1 : 2 }
    if cls(a) != cls(b) { return cls(a) < cls(b) ? -1 : 1 }
    if cls(a) == 2 {
      func d(_ n: Number) -> Double {
        switch n {
        case .integer(let i): Double(i);
        case .double(let d): d
        }
      }
      let x = d(a.number!), y = d(b.number!); return x < y ? -1 : x > y ? 1 : 0
    }
    let x = a.text ?? "", y = b.text ?? ""; return x < y ? -1 : x > y ? 1 : 0
  }
  static func order(_ keys: [ColumnVector], _ desc: [Bool], limit: Int?) -> SelectionVector {
    let ks = keys.map { $0.values() }
    let rows = (0..<UInt32(keys.first?.count ?? 0)).sorted { a, b in
      for (k, d) in zip(ks, desc) {
        let c = less(k[Int(a)], k[Int(b)]); if c != 0 { return d ? c > 0 : c < 0 }
      }
      return a < b
    }
    return limit.map { Array(rows.prefix($0)) } ?? rows
  }
}
extension Value { var displayText: String { text ?? "?" } }
