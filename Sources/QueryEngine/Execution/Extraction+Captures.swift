import Columnar

// The captures of a `parse`, for a column of texts. Texts are read where they lie in the column;
// a capture is a range of it until its column is put together.

extension Extraction {
  /// One column per capture, in order; rows that do not match have none of them.
  func captures(of source: ColumnVector) -> [ColumnVector] {
    if case .dictionary(let vector) = source, vector.entries.count < vector.codes.count / 2 {
      let entries = ColumnVector.concatenate([vector.entries, .missing(count: 1)])
      let rows = vector.codes.map { UInt32($0) }
      return captures(of: entries).map { $0.gather(rows) }
    }
    guard let texts = source.texts() else {
      return Array(repeating: .missing(count: source.count), count: captureCount)
    }
    switch method {
    case .glob(let pattern): return globCaptures(pattern, texts)
    case .regex(let regex, let groups): return regexCaptures(regex, groups, texts)
    case .logfmt:
      return [ColumnVector(texts.mapTexts { LogfmtReader.map($0[...]) ?? .missing })]
    case .csv(let count):
      let records = texts.mapTexts { CSVReader.firstRecord($0) }
      return (0..<count).map { column in
        ColumnVector(
          records.map { record in
            guard let record, column < record.count else { return Value.missing }
            return .string(record[column])
          })
      }
    }
  }

  /// Literals of which every text that matches holds one; `nil` if there are none worth a search.
  var requiredLiterals: [ByteSearch]? {
    switch method {
    case .glob(let pattern):
      guard let longest = pattern.pieces.max(by: { $0.count < $1.count }), longest.count > 2 else {
        return nil
      }
      return [ByteSearch(longest)]
    case .regex(let regex, _): return regex.requiredLiterals
    case .logfmt, .csv: return nil
    }
  }

  private func globCaptures(_ pattern: GlobPattern, _ texts: StringVector) -> [ColumnVector] {
    var columns = Array(
      repeating: CaptureBuilder(rowCount: texts.count), count: pattern.captureCount)
    let bytes = texts.bytes.span
    for row in 0..<texts.count {
      guard texts.validity?[row] ?? true else {
        for index in columns.indices { columns[index].appendMissing() }
        continue
      }
      let range = texts.range(row)
      let captures = pattern.captures(in: bytes, from: range.lowerBound, to: range.upperBound)
      for index in columns.indices {
        if let captures {
          columns[index].append(texts.bytes[captures[index]])
        } else {
          columns[index].appendMissing()
        }
      }
    }
    return columns.map { $0.vector() }
  }

  private func regexCaptures(
    _ regex: CompiledRegex, _ groups: [Int], _ texts: StringVector
  ) -> [ColumnVector] {
    var columns = Array(repeating: CaptureBuilder(rowCount: texts.count), count: groups.count)
    regex.forEachFirstMatch(in: texts) { _, match in
      for (index, group) in groups.enumerated() {
        if let range = match?[group] ?? nil {
          columns[index].append(texts.bytes[range])
        } else {
          columns[index].appendMissing()
        }
      }
    }
    return columns.map { $0.vector() }
  }
}

/// A column of captures being put together.
struct CaptureBuilder {
  private var offsets: [UInt32] = [0]
  private var bytes: [UInt8] = []
  private var validity: Bitmap
  private var hasMissing = false

  init(rowCount: Int) {
    offsets.reserveCapacity(rowCount + 1)
    validity = Bitmap(repeating: true, count: rowCount)
  }

  mutating func append(_ text: ArraySlice<UInt8>) {
    bytes += text
    offsets.append(UInt32(bytes.count))
  }

  mutating func appendMissing() {
    validity[offsets.count - 1] = false
    hasMissing = true
    offsets.append(UInt32(bytes.count))
  }

  /// - Precondition: every row was appended.
  func vector() -> ColumnVector {
    .strings(
      StringVector(offsets: offsets, bytes: bytes, validity: hasMissing ? validity : nil))
  }
}

extension ColumnVector {
  /// The column as texts, numbers and times in their printed form; `nil` if no row has one.
  func texts() -> StringVector? {
    switch self {
    case .missing: return nil
    case .strings(let vector): return vector
    default:
      var builder = CaptureBuilder(rowCount: count)
      for value in values() {
        if let text = value.text {
          builder.append(Array(text.utf8)[...])
        } else {
          builder.appendMissing()
        }
      }
      guard case .strings(let vector) = builder.vector() else { return nil }
      return vector
    }
  }
}

extension StringVector {
  /// What `body` makes of the text of each present row.
  func mapTexts(_ body: ([UInt8]) -> Value) -> [Value] {
    (0..<count).map { row in
      validity?[row] ?? true ? body(Array(bytes[range(row)])) : .missing
    }
  }

  func mapTexts(_ body: ([UInt8]) -> [String]?) -> [[String]?] {
    (0..<count).map { row in
      validity?[row] ?? true ? body(Array(bytes[range(row)])) : nil
    }
  }
}
