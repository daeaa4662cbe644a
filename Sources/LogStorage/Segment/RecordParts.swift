package import Columnar

// What `pattern` reads: records as the store has them, as shapes and columns, none of their texts put
// together.

/// The records of a row group taken apart.
package struct RecordParts {
  /// The form of some records.
  package struct Shape {
    /// The text of the records with one marker byte, a ``SlotKind``, for each slot.
    package let key: [UInt8]
    /// The column that each slot's values are in.
    package let columns: [Int]
    package let rowCount: Int
  }

  /// Shape 0 is that of texts: one slot, the whole of it.
  package let shapes: [Shape]
  /// One per stored row. The next value of a column is that of the next row whose shape has it.
  package let shapeOfRow: [UInt16]
  package let columnCount: Int

  private let decoder: RowGroupDecoder

  init(_ decoder: RowGroupDecoder) throws {
    self.decoder = decoder
    let table = decoder.handle.table
    shapeOfRow = try decoder.shapeCodes()
    columnCount = table.chunks.count
    shapes = try zip(decoder.shapePieces(), table.shapes).map { pieces, shape in
      var key: [UInt8] = []
      if shape.rowCount > 0 {
        pieces.append(to: &key) { slot, key in
          key.append(table.chunks[shape.columns[slot]].kind.rawValue)
        }
      }
      return Shape(key: key, columns: Array(shape.columns), rowCount: shape.rowCount)
    }
  }

  /// The values of a column of strings, literals or verbatim arrays.
  ///
  /// - Parameter isExact: whether no value may be stood for by another one.
  /// - Throws: `StorageError` if it is damaged.
  package func values(ofColumn index: Int, isExact: Bool) throws -> SlotValues {
    let count = decoder.handle.table.chunks[index].valueCount
    return try decoder.columnData(index).slotValues(count, isExact: isExact)
  }
}

/// The values of a column, each once where that is how they are stored.
package struct SlotValues: Sendable {
  /// Texts as they stand between the quotes of the record, escapes kept.
  package let entries: StringVector
  /// Entry of each value; `nil` when value `i` is entry `i`, or there is only one entry.
  package let codes: [UInt16]?
  /// All values are entry 0, or are spelt like it.
  package let isUniform: Bool
}

extension ColumnData {
  /// Values that are certain to be spelt alike — identifiers of one form, times of one form, numbers of a
  /// kind — are stood for by one of them.
  fileprivate func slotValues(_ count: Int, isExact: Bool) throws -> SlotValues {
    switch self {
    case .constant(let text): .uniform(text)
    case .dictionary(let codes, let entries): .coded(codes, entries)
    case .identifiers(let run) where !isExact: .uniform(run.form.sample)
    case .timestamps(let run) where !isExact: run.slotValues()
    case .integers(let values) where !isExact: Self.slotValues(ofIntegers: values)
    case .identifiers(let run): .each(run.texts(count) { $0 })
    case .texts(let texts): .each(texts)
    case .templates(let run): .each(try run.texts())
    default: try rendered(count)
    }
  }

  /// Below this a number has less than eight digits and no sign, with which it could be an identifier.
  private static let eightDigits = 10_000_000

  private static func slotValues(ofIntegers values: [Int64]) -> SlotValues {
    let samples = StringVector(offsets: [0, 1, 9], bytes: Array("112345678".utf8))
    return SlotValues(
      entries: samples, codes: values.map { $0 >= eightDigits ? 1 : 0 }, isUniform: false)
  }

  private func rendered(_ count: Int) throws -> SlotValues {
    var run = TextRun(offsets: [0], bytes: [])
    run.offsets.reserveCapacity(count + 1)
    for i in 0..<count {
      try appendText(i, to: &run.bytes)
      run.offsets.append(UInt32(run.bytes.count))
    }
    return .each(run)
  }
}

extension IdentifierForm {
  /// A text of this form.
  fileprivate var sample: [UInt8] {
    switch self {
    case .hexadecimal(let byteCount):
      [UInt8](repeating: UInt8(ascii: "a"), count: 2 * byteCount)
    case .uuid: Array("01234567-89ab-cdef-0123-456789abcdef".utf8)
    case .address: Array("10.0.0.1".utf8)
    }
  }
}

extension TimestampTextRun {
  /// One time of each form: its digits are in the same places in all of them.
  fileprivate func slotValues() -> SlotValues {
    var texts = TextRun(offsets: [0], bytes: [])
    for form in forms.indices {
      let sample = TimestampTextRun(forms: [forms[form]], formOf: [], ticks: [0])
      sample.append(0, to: &texts.bytes)
      texts.offsets.append(UInt32(texts.bytes.count))
    }
    return formOf.isEmpty ? .uniform(texts.bytes) : .coded(formOf, texts)
  }
}

extension SlotValues {
  fileprivate static func uniform(_ text: [UInt8]) -> SlotValues {
    SlotValues(
      entries: StringVector(offsets: [0, UInt32(text.count)], bytes: text), codes: nil,
      isUniform: true)
  }

  fileprivate static func coded(_ codes: [UInt16], _ entries: TextRun) -> SlotValues {
    SlotValues(
      entries: StringVector(offsets: entries.offsets, bytes: entries.bytes), codes: codes,
      isUniform: false)
  }

  fileprivate static func each(_ texts: TextRun) -> SlotValues {
    SlotValues(
      entries: StringVector(offsets: texts.offsets, bytes: texts.bytes), codes: nil,
      isUniform: false)
  }
}
