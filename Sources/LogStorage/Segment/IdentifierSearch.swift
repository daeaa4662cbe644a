import Columnar

// Looking for one id among the ids of a row group.
//
// Ids of all columns of a width share one pool, so one small filter over the pool (``IdentifierFilter``) tells for most
// row groups that the id is in none of their columns. Only then are the pool and the column's indices read.

extension RowGroupDecoder {
  /// The rows whose field is exactly a text; `nil` if that is better found by reading the field: it
  /// is not made of ids.
  ///
  /// - Throws: `StorageError` when a column that had to be read is damaged.
  func find(_ field: String, equal text: [UInt8]) throws -> Bitmap? {
    let resolution = handle.resolution(of: field)
    let chunks = handle.table.chunks
    guard !resolution.hasStructures, !resolution.hasTexts, !text.isEmpty,
      resolution.chunks.contains(where: { chunks[$0].encoding == .identifier }),
      resolution.chunks.allSatisfy({ index in
        chunks[index].kind == .string
          && (chunks[index].encoding == .identifier || chunks[index].valueCount <= 1_024)
      })
    else { return nil }
    var found = Bitmap(repeating: false, count: handle.table.rowCount)
    for index in resolution.chunks {
      let hits = try values(ofColumn: index, equal: text)
      if hits.isEmpty { continue }
      let rows = try rows(ofColumn: index)
      let codes = try shapeCodes()
      for hit in hits {
        let row = rows.map { Int($0[hit]) } ?? hit
        // Another value of the same name may hide this one.
        if resolution.places[Int(codes[row])] == .chunk(index) { found[row] = true }
      }
    }
    return found
  }

  /// Positions of the values of a column of texts that are exactly a text.
  private func values(ofColumn index: Int, equal text: [UInt8]) throws -> [Int] {
    let chunk = handle.table.chunks[index]
    guard chunk.encoding == .identifier else {
      let column = DenseColumn(
        data: try columnData(index), kind: chunk.kind, hasEscapes: chunk.hasEscapes)
      let texts = try column.vector(positions: .all(chunk.valueCount)).values()
      let wanted = String(decoding: text, as: UTF8.self)
      return texts.indices.filter { texts[$0] == .string(wanted) }
    }
    // The text decides by its length which form it can have, and so which pool it would be in.
    guard let (form, id) = IdentifierForm.packed(text) else { return [] }
    guard
      handle.table.chunks.contains(where: {
        $0.role == .identifierPool && Int($0.instance) == form.width
      })
    else { return [] }
    if let filter = try handle.identifierFilter(width: form.width), !filter.mayHold(id) {
      return []
    }
    let wanted = Self.places(of: id, in: try identifierPool(width: form.width))
    guard !wanted.isEmpty, case .identifiers(let run) = try columnData(index), run.form == form
    else { return [] }
    return run.indices.indices.filter { wanted.contains(run.indices[$0]) }
  }

  /// Where an id stands in a pool of ids of its width.
  private static func places(of id: [UInt8], in pool: [UInt8]) -> [UInt32] {
    var found: [UInt32] = []
    let width = id.count
    id.withUnsafeBytes { id in
      pool.withUnsafeBytes { pool in
        // Most ids differ in their first four bytes, which every width has; reads end with the last id.
        let first = id.loadUnaligned(as: UInt32.self)
        for i in 0..<pool.count / width
        where pool.loadUnaligned(fromByteOffset: i &* width, as: UInt32.self) == first {
          let start = i * width
          if (0..<width).allSatisfy({ pool[start + $0] == id[$0] }) { found.append(UInt32(i)) }
        }
      }
    }
    return found
  }
}

extension RowGroupHandle {
  /// Whether a column of ids may have a value that equals a text; `false` is certain. Judged by filters only.
  func mayHoldIdentifier(_ text: String) -> Bool {
    switch IdentifierLiteral(.string(text)) {
    case .noIdentifier: return false
    case .anything: return true
    case .identifier(let id):
      // A damaged filter is reported by whoever reads the column.
      guard let filter = try? identifierFilter(width: id.count) else { return true }
      return filter.mayHold(id)
    }
  }
}

/// What a literal may equal among ids.
enum IdentifierLiteral {
  /// This id, as its bytes are packed.
  case identifier([UInt8])
  /// No id.
  case noIdentifier
  /// A number equals its other spellings too, and what is no text must be compared.
  case anything

  init(_ literal: Value) {
    guard case .string(let text) = literal, !text.isEmpty, literal.number == nil else {
      self = .anything
      return
    }
    self = IdentifierForm.packed(Array(text.utf8)).map { .identifier($0.id) } ?? .noIdentifier
  }
}

extension IdentifierForm {
  /// A text as the bytes of an id, with the only form that it can have; `nil` when it is no id.
  fileprivate static func packed(_ text: [UInt8]) -> (form: IdentifierForm, id: [UInt8])? {
    text.withUnsafeBufferPointer { text in
      guard let base = text.baseAddress, let form = IdentifierForm(like: base, text.count) else {
        return nil
      }
      var id = [UInt8](repeating: 0, count: form.width)
      let fits = id.withUnsafeMutableBufferPointer {
        form.pack(base, text.count, into: $0.baseAddress!)
      }
      return fits ? (form, id) : nil
    }
  }
}
