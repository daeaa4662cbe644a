import Columnar
import QueryLanguage

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
