/// How the values of a column chunk are stored. The numbers are part of the format and never
/// change their meaning; numbers above are kept for forms still to come.
package enum ColumnEncoding: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  /// One value for all rows.
  case constant = 1
  /// Distinct values and codes.
  case dictionary = 2
  /// Canonical whole numbers.
  case integer = 3
  /// Numbers with a fixed or varying count of decimals.
  case decimal = 4
  /// Texts of a time, as a distance from the event's own time.
  case timestampText = 11
  /// Lengths and bytes.
  case plainString = 6
  /// References into the row group's pool of identifiers.
  case identifier = 7
  /// Floating-point numbers that are their own shortest text.
  case double = 8
  /// Templates and columns of what varies in them.
  case templates = 9
  /// The values of another column in the same rows; only for variables of templates.
  case reference = 10
  /// Numbers that are times, as a distance from the event's own time.
  case timestampNumber = 12
  /// The values are in a chunk of rare values, among those of other columns.
  case rare = 14
  /// Texts of shapes, by the columns of their slots; only for those.
  case pieces = 15

  package var description: String {
    switch self {
    case .constant: "constant"
    case .dictionary: "dictionary"
    case .integer: "integer"
    case .decimal: "decimal"
    case .timestampText: "timestamp"
    case .plainString: "plain"
    case .identifier: "identifier"
    case .double: "double"
    case .templates: "templates"
    case .reference: "reference"
    case .timestampNumber: "timestamp"
    case .rare: "rare"
    case .pieces: "pieces"
    }
  }
}

/// A column chunk, encoded: what goes into the segment and what the chunk table says of it.
struct EncodedColumn {
  var encoding: ColumnEncoding
  var bytes: [UInt8]
  var zone: ZoneMap
  /// Some value holds a backslash: readers of strings must undo JSON escapes.
  var hasEscapes: Bool
  /// Distinct values of a dictionary.
  var entryCount: Int?
  /// Has no compression of its own: it is to be compressed with others.
  var isPacked = false
}

/// A column chunk, decoded as far as its encoding goes: every value can still give its exact text.
enum ColumnData {
  case constant([UInt8])
  case dictionary(codes: [UInt16], entries: TextRun)
  case integers([Int64])
  case decimals(DecimalRun)
  case timestamps(TimestampTextRun)
  case texts(TextRun)
  case identifiers(IdentifierRun)
  case doubles([Double])
  case templates(TemplateRun)
  case reference(ColumnReference)

  /// About how many bytes it holds. Other columns that values refer to are not its own.
  var byteCount: Int {
    switch self {
    case .constant(let bytes): bytes.count
    case .dictionary(let codes, let entries): codes.count * 2 + entries.byteCount
    case .integers(let values): values.count * 8
    case .decimals(let run): run.mantissas.count * 8 + run.scales.count
    case .timestamps(let run): run.ticks.count * 8 + run.formOf.count * 2
    case .texts(let run): run.byteCount
    case .identifiers(let run): run.indices.count * 4
    case .doubles(let values): values.count * 8
    case .templates(let run): run.byteCount
    case .reference(let reference): reference.positions.count * 4
    }
  }

  /// Appends the exact text of value `i`.
  ///
  /// - Throws: when what it is made of is read first here, and damaged.
  @inline(__always)
  func appendText(_ i: Int, to output: inout [UInt8]) throws {
    switch self {
    case .constant(let bytes): output.append(contentsOf: bytes)
    case .dictionary(let codes, let entries): entries.append(Int(codes[i]), to: &output)
    case .integers(let values): DecimalText.append(values[i], to: &output)
    case .decimals(let run): run.append(i, to: &output)
    case .timestamps(let run): run.append(i, to: &output)
    case .texts(let run): run.append(i, to: &output)
    case .identifiers(let run): run.append(i, to: &output)
    case .doubles(let values): DoubleStream.append(values[i], to: &output)
    case .templates(let run): try run.append(i, to: &output)
    case .reference(let reference): try reference.append(i, to: &output)
    }
  }
}

extension ColumnData {
  /// Some of the values, in the same form where it is one that is cut easily, else as texts.
  ///
  /// - Throws: when what values are made of is read first here, and damaged.
  func values(in range: Range<Int>) throws -> ColumnData {
    switch self {
    case .constant: return self
    case .integers(let values): return .integers(Array(values[range]))
    case .doubles(let values): return .doubles(Array(values[range]))
    case .decimals(let run):
      return .decimals(
        DecimalRun(
          mantissas: Array(run.mantissas[range]),
          scales: run.scales.isEmpty ? [] : Array(run.scales[range]), scale: run.scale))
    case .texts(let run):
      let first = run.offsets[range.lowerBound]
      return .texts(
        TextRun(
          offsets: run.offsets[range.lowerBound...range.upperBound].map { $0 - first },
          bytes: Array(run.bytes[Int(first)..<Int(run.offsets[range.upperBound])])))
    default:
      var run = TextRun(offsets: [0], bytes: [])
      run.offsets.reserveCapacity(range.count + 1)
      for i in range {
        try appendText(i, to: &run.bytes)
        run.offsets.append(UInt32(run.bytes.count))
      }
      return .texts(run)
    }
  }
}

/// Values that another column has.
struct ColumnReference {
  /// The other column: one element, which may itself refer on.
  let column: [ColumnData]
  /// Where each value stands in it.
  let positions: [UInt32]

  func append(_ i: Int, to output: inout [UInt8]) throws {
    try column[0].appendText(Int(positions[i]), to: &output)
  }
}

/// Texts laid end to end, as they stand in the event.
struct TextRun: Sendable {
  /// `count + 1` positions in `bytes`.
  var offsets: [UInt32]
  var bytes: [UInt8]

  var count: Int { offsets.count - 1 }

  var byteCount: Int { bytes.count + offsets.count * 4 }

  func range(_ i: Int) -> Range<Int> { Int(offsets[i])..<Int(offsets[i + 1]) }

  @inline(__always)
  func append(_ i: Int, to output: inout [UInt8]) {
    output.append(contentsOf: bytes[Int(offsets[i])..<Int(offsets[i + 1])])
  }
}
