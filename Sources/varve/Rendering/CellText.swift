import Columnar

/// How the cells of a form look.
enum CellStyle {
  /// JSON values: quoted texts, numbers at full precision.
  case json
  /// Plain text with numbers at full precision, for other programs.
  case exact
  /// Plain text for people: computed numbers rounded to four decimals.
  case display
}

/// One column of a batch as text, ready to be laid into rows.
///
/// Columns are turned into text one after the other, each with one look at its type; putting rows
/// together is copying bytes then. A dictionary's entries are turned into text once, not once a row.
struct CellColumn {
  private let bytes: [UInt8]
  /// `entries + 1` positions in `bytes`.
  private let offsets: [Int]
  /// Entry of each row; empty when row `i` has entry `i`.
  private let codes: [UInt16]
  private let isConstant: Bool
  /// Whether the column holds numbers: such columns stand to the right.
  let isNumeric: Bool

  init(_ vector: ColumnVector, style: CellStyle, zone: DisplayZone) {
    var text = CellText(style: style, zone: zone)
    switch vector {
    case .dictionary(let dictionary):
      text.append(dictionary.entries)
      text.endCell()  // the entry of missing rows
      (codes, isConstant) = (dictionary.codes, false)
    case .constant(let value, _):
      text.append(value)
      text.endCell()
      (codes, isConstant) = ([], true)
    case .missing:
      text.endCell()
      (codes, isConstant) = ([], true)
    default:
      text.append(vector)
      (codes, isConstant) = ([], false)
    }
    (bytes, offsets, isNumeric) = (text.bytes, text.offsets, vector.isNumeric)
  }

  private func range(_ row: Int) -> Range<Int> {
    let entry = isConstant ? 0 : codes.isEmpty ? row : Int(codes[row])
    return offsets[entry]..<offsets[entry + 1]
  }

  /// Whether the cell has no text: it is missing, or, outside JSON, an empty text.
  func isEmpty(_ row: Int) -> Bool { range(row).isEmpty }

  /// Appends the text of a cell.
  func append(_ row: Int, to out: inout [UInt8]) {
    let range = range(row)
    bytes.withUnsafeBufferPointer {
      out.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range]))
    }
  }

  /// The text of a cell.
  func text(_ row: Int) -> ArraySlice<UInt8> { bytes[range(row)] }
}

extension ColumnVector {
  fileprivate var isNumeric: Bool {
    switch self {
    case .integers, .doubles, .decimals, .booleans: true
    case .dictionary(let dictionary): dictionary.entries.isNumeric
    case .constant(let value, _): value.isNumber
    case .values(let values):
      values.contains { $0.isNumber } && values.allSatisfy { $0.isNumberOrMissing }
    case .missing, .timestamps, .strings: false
    }
  }
}

extension Value {
  fileprivate var isNumber: Bool {
    switch self {
    case .integer, .double, .sourceNumber, .boolean: true
    default: false
    }
  }

  fileprivate var isNumberOrMissing: Bool { isNumber || isMissing }
}

/// Writes cells one behind the other.
private struct CellText {
  let style: CellStyle
  let zone: DisplayZone
  var bytes: [UInt8] = []
  var offsets: [Int] = [0]

  init(style: CellStyle, zone: DisplayZone) { (self.style, self.zone) = (style, zone) }

  mutating func endCell() { offsets.append(bytes.count) }

  mutating func append(_ vector: ColumnVector) {
    switch vector {
    case .missing(let count):
      for _ in 0..<count { endCell() }
    case .constant(let value, let count):
      for _ in 0..<count { cell(value) }
    case .integers(let v):
      for (row, number) in v.values.enumerated() {
        if v.validity?[row] ?? true { NumberFormat.append(number, to: &bytes) }
        endCell()
      }
    case .doubles(let v):
      for (row, number) in v.values.enumerated() {
        if v.validity?[row] ?? true { append(number) }
        endCell()
      }
    case .decimals(let v):
      for (row, mantissa) in v.mantissas.enumerated() {
        if v.validity?[row] ?? true {
          let scale = v.scales.isEmpty ? v.scale : v.scales[row]
          append(mantissa: mantissa, decimals: Int(scale))
        }
        endCell()
      }
    case .timestamps(let v):
      for (row, time) in v.values.enumerated() {
        if v.validity?[row] ?? true { append(timestamp: time) }
        endCell()
      }
    case .booleans(let v):
      for row in 0..<v.values.count {
        if v.validity?[row] ?? true { bytes.append(v.values[row] ? 0x31 : 0x30) }
        endCell()
      }
    case .strings(let v):
      v.bytes.withUnsafeBufferPointer { all in
        for row in 0..<v.count {
          if v.validity?[row] ?? true {
            append(text: UnsafeBufferPointer(rebasing: all[v.range(row)]))
          }
          endCell()
        }
      }
    case .dictionary(let v):
      let entries = CellColumn(v.entries, style: style, zone: zone)
      for code in v.codes {
        if Int(code) < v.entries.count { entries.append(Int(code), to: &bytes) }
        endCell()
      }
    case .values(let values):
      for value in values { cell(value) }
    }
  }

  private mutating func cell(_ value: Value) {
    append(value)
    endCell()
  }

  mutating func append(_ value: Value) {
    switch value {
    case .missing: break
    case .string(let text):
      var text = text
      text.withUTF8 { append(text: $0) }
    case .integer(let number): NumberFormat.append(number, to: &bytes)
    case .double(let number): append(number)
    case .sourceNumber(let number): bytes.append(contentsOf: number.text.utf8)
    case .boolean(let condition): bytes.append(condition ? 0x31 : 0x30)
    case .jsonBoolean(let condition): bytes.append(contentsOf: (condition ? "true" : "false").utf8)
    case .timestamp(let time): append(timestamp: time)
    case .list, .map: appendStructure(value)
    }
  }

  private mutating func append(_ number: Double) {
    if style == .display {
      NumberFormat.appendDisplay(number, to: &bytes)
    } else {
      NumberFormat.appendExact(number, to: &bytes)
    }
  }

  private mutating func append(timestamp: Int64) {
    if style == .json { bytes.append(0x22) }
    Timestamp.append(timestamp + zone.offset(at: timestamp), to: &bytes)
    if style == .json { bytes.append(0x22) }
  }

  private mutating func append(text: UnsafeBufferPointer<UInt8>) {
    switch style {
    case .exact: bytes.append(contentsOf: text)
    case .json: SafeText.appendJSON(text, to: &bytes)
    case .display: SafeText.appendVisible(text, to: &bytes)
    }
  }

  /// A decimal number as its event wrote it.
  private mutating func append(mantissa: Int64, decimals: Int) {
    guard decimals > 0 else { return NumberFormat.append(mantissa, to: &bytes) }
    var power: UInt64 = 1
    for _ in 0..<decimals { power *= 10 }
    let (whole, rest) = mantissa.magnitude.quotientAndRemainder(dividingBy: power)
    if mantissa < 0 { bytes.append(UInt8(ascii: "-")) }
    NumberFormat.append(Int64(whole), to: &bytes)
    bytes.append(UInt8(ascii: "."))
    while power > 10, rest < power / 10 {
      bytes.append(UInt8(ascii: "0"))
      power /= 10
    }
    NumberFormat.append(Int64(rest), to: &bytes)
  }

  /// A structure is compact JSON in every form.
  private mutating func appendStructure(_ value: Value) {
    guard style == .display else { return JSONValue.append(value, to: &bytes) }
    var json: [UInt8] = []
    JSONValue.append(value, to: &json)
    json.withUnsafeBufferPointer { append(text: $0) }
  }
}
