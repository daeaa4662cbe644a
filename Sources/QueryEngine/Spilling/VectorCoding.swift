import Columnar
import LogStorage

// Rows as bytes of a temporary file. A vector keeps its form, so that what is read again is treated
// as what was written; arrays are copied as they lie in memory, for the file never leaves the
// machine. A dictionary keeps the entries that occur; of one that hardly repeats, texts are written.

extension ByteWriter {
  /// Appends the length of an array, then its elements as they lie in memory.
  mutating func append<Element: BitwiseCopyable>(array: [Element]) {
    append(varint: array.count)
    array.withUnsafeBytes { append(contentsOf: $0) }
  }

  mutating func append(bitmap: Bitmap?) {
    guard let bitmap else { return append(0 as UInt8) }
    append(1 as UInt8)
    append(varint: bitmap.count)
    append(array: bitmap.words)
  }

  mutating func append(value: Value) {
    switch value {
    case .missing: append(0 as UInt8)
    case .string(let text):
      append(1 as UInt8)
      append(text: text)
    case .integer(let number):
      append(2 as UInt8)
      append(fixed: number)
    case .double(let number):
      append(3 as UInt8)
      append(fixed: number.bitPattern)
    case .sourceNumber(let number):
      append(4 as UInt8)
      append(fixed: number.value.bitPattern)
      append(text: number.text)
    case .boolean(let condition): append(condition ? 6 : 5 as UInt8)
    case .jsonBoolean(let condition): append(condition ? 8 : 7 as UInt8)
    case .timestamp(let time):
      append(9 as UInt8)
      append(fixed: time)
    case .list(let values):
      append(10 as UInt8)
      append(varint: values.count)
      for value in values { append(value: value) }
    case .map(let map):
      append(11 as UInt8)
      append(varint: map.keys.count)
      for (key, value) in zip(map.keys, map.values) {
        append(text: key)
        append(value: value)
      }
    }
  }

  mutating func append(vector: ColumnVector) {
    switch vector {
    case .missing(let count):
      append(0 as UInt8)
      append(varint: count)
    case .constant(let value, let count):
      append(1 as UInt8)
      append(varint: count)
      append(value: value)
    case .integers(let v):
      append(2 as UInt8)
      append(array: v.values)
      append(bitmap: v.validity)
    case .timestamps(let v):
      append(3 as UInt8)
      append(array: v.values)
      append(bitmap: v.validity)
    case .doubles(let v):
      append(v.isSource ? 5 : 4 as UInt8)
      append(array: v.values)
      append(bitmap: v.validity)
    case .decimals(let v):
      append(6 as UInt8)
      append(array: v.mantissas)
      append(array: v.scales)
      append(v.scale)
      append(bitmap: v.validity)
    case .booleans(let v):
      append(7 as UInt8)
      append(bitmap: v.values)
      append(bitmap: v.validity)
    case .strings(let v): append(texts: v)
    case .dictionary(let v): append(dictionary: v)
    case .values(let values):
      append(10 as UInt8)
      append(varint: values.count)
      for value in values { append(value: value) }
    }
  }

  private mutating func append(texts vector: StringVector) {
    append(8 as UInt8)
    let first = vector.offsets[0]
    append(array: first == 0 ? vector.offsets : vector.offsets.map { $0 - first })
    let end = Int(vector.offsets[vector.count])
    append(varint: end - Int(first))
    vector.bytes.withUnsafeBytes {
      append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[Int(first)..<end]))
    }
    append(bitmap: vector.validity)
  }

  private mutating func append(dictionary vector: DictionaryVector) {
    let missing = vector.entries.count
    var places = [Int](repeating: -1, count: missing + 1)
    var used: SelectionVector = []
    for code in vector.codes where Int(code) < missing && places[Int(code)] < 0 {
      places[Int(code)] = used.count
      used.append(UInt32(code))
    }
    if used.count * 2 > vector.codes.count, case .strings = vector.entries {
      return append(vector: vector.flattened())
    }
    append(9 as UInt8)
    places[missing] = used.count
    append(array: vector.codes.map { UInt16(truncatingIfNeeded: places[Int($0)]) })
    append(vector: vector.entries.gather(used))
  }

  mutating func append(order: RowOrder?) {
    append(order == nil ? 0 : 1 as UInt8)
    guard let order else { return }
    append(array: order.times)
    append(array: order.sequences)
  }

  mutating func append(rows batch: RowBatch) {
    append(varint: batch.rowCount)
    append(varint: batch.columns.count)
    for column in batch.columns {
      append(column == nil ? 0 : 1 as UInt8)
      if let column { append(vector: column) }
    }
    append(order: batch.order)
    append(varint: batch.discovered.count)
    for column in batch.discovered {
      append(text: column.name)
      append(vector: column.vector)
    }
  }
}

extension ByteReader {
  mutating func array<Element: BitwiseCopyable>(
    of _: Element.Type
  ) throws(DecodingFailure) -> [Element] {
    let stride = MemoryLayout<Element>.stride
    let count = try count(limit: remaining / stride)
    let bytes = try take(count * stride)
    return [Element](unsafeUninitializedCapacity: count) { target, used in
      // Exactly the bytes of `count` elements, all of which are initialised here.
      UnsafeMutableRawBufferPointer(target).copyMemory(from: bytes)
      used = count
    }
  }

  mutating func bitmap() throws(DecodingFailure) -> Bitmap? {
    if try byte() == 0 { return nil }
    let count = try count(limit: .max)
    let words = try array(of: UInt64.self)
    guard words.count == (count + 63) >> 6 else { throw DecodingFailure("a bitmap is too short") }
    return Bitmap(words: words, count: count)
  }

  mutating func value() throws(DecodingFailure) -> Value {
    let kind = try byte()
    switch kind {
    case 0: return .missing
    case 1: return .string(try text())
    case 2: return .integer(try fixed(Int64.self))
    case 3: return .double(Double(bitPattern: try fixed(UInt64.self)))
    case 4:
      let number = Double(bitPattern: try fixed(UInt64.self))
      return .sourceNumber(SourceNumber(value: number, text: try text()))
    case 5, 6: return .boolean(kind == 6)
    case 7, 8: return .jsonBoolean(kind == 8)
    case 9: return .timestamp(try fixed(Int64.self))
    case 10: return .list(try values())
    case 11:
      var map = ValueMap()
      for _ in 0..<(try count(limit: remaining)) {
        map.keys.append(try text())
        map.values.append(try value())
      }
      return .map(map)
    default: throw DecodingFailure("\(kind) is no kind of value")
    }
  }

  private mutating func values() throws(DecodingFailure) -> [Value] {
    var values: [Value] = []
    for _ in 0..<(try count(limit: remaining)) { values.append(try value()) }
    return values
  }

  mutating func vector() throws(DecodingFailure) -> ColumnVector {
    let kind = try byte()
    switch kind {
    case 0: return .missing(count: try count(limit: .max))
    case 1:
      let count = try count(limit: .max)
      return .constant(try value(), count: count)
    case 2: return .integers(try integers())
    case 3: return .timestamps(try integers())
    case 4, 5:
      let values = try array(of: Double.self)
      return .doubles(
        DoubleVector(values: values, validity: try bitmap(), isSource: kind == 5))
    case 6:
      let mantissas = try array(of: Int64.self)
      let scales = try array(of: UInt8.self)
      let scale = try byte()
      return .decimals(
        DecimalVector(
          mantissas: mantissas, scales: scales, scale: scale, validity: try bitmap()))
    case 7:
      guard let values = try bitmap() else { throw DecodingFailure("conditions are missing") }
      return .booleans(BooleanVector(values: values, validity: try bitmap()))
    case 8:
      let offsets = try array(of: UInt32.self)
      let bytes = try array(of: UInt8.self)
      return .strings(StringVector(offsets: offsets, bytes: bytes, validity: try bitmap()))
    case 9:
      let codes = try array(of: UInt16.self)
      return .dictionary(DictionaryVector(codes: codes, entries: try vector()))
    case 10: return .values(try values())
    default: throw DecodingFailure("\(kind) is no kind of column")
    }
  }

  private mutating func integers() throws(DecodingFailure) -> IntegerVector {
    let values = try array(of: Int64.self)
    return IntegerVector(values: values, validity: try bitmap())
  }

  mutating func order() throws(DecodingFailure) -> RowOrder? {
    if try byte() == 0 { return nil }
    let times = try array(of: Int64.self)
    return RowOrder(times: times, sequences: try array(of: UInt64.self))
  }

  mutating func rows() throws(DecodingFailure) -> RowBatch {
    let rowCount = try count(limit: .max)
    var columns: [ColumnVector?] = []
    for _ in 0..<(try count(limit: remaining)) {
      columns.append(try byte() == 0 ? nil : try vector())
    }
    var batch = RowBatch(rowCount: rowCount, columns: columns, order: try order())
    for _ in 0..<(try count(limit: remaining)) {
      let name = try text()
      batch.discovered.append(NamedColumn(name: name, vector: try vector()))
    }
    return batch
  }
}

extension SpillFile {
  /// Adds what `write` writes as a block.
  func append(_ write: (inout ByteWriter) -> Void) throws(QueryFailure) -> SpillBlock {
    var writer = ByteWriter()
    write(&writer)
    return try append(writer.bytes)
  }

  /// What `read` makes of a block.
  func read<T>(
    _ block: SpillBlock, _ read: (inout ByteReader) throws -> T
  ) throws(QueryFailure) -> T {
    let bytes = try self.read(block)
    do {
      return try bytes.withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        return try read(&reader)
      }
    } catch {
      throw failure(error)
    }
  }
}
