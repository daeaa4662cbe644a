import Columnar

// Looking for one id among the ids of a row group.
//
// Ids of all columns of a width share one pool, so one small filter over the pool tells for most row groups that
// the id is in none of their columns. It is a Bloom filter of eight bits or more per id: three bits, chosen
// by the id's hash, are set for each; an id that is not there finds all three set in one row group of thirty. Only
// then are the pool and the column's indices read. The filter is made in memory, at the first search of a row group
// whose decoder is kept; whoever asks once searches the pool itself.
//
// B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors" (1970).

/// Which ids a pool may hold.
struct IdentifierFilter: Sendable {
  private var words: [UInt64]
  private let mask: UInt64

  var byteCount: Int { words.count * 8 }

  /// - Complexity: O(ids of the pool)
  init(pool: [UInt8], width: Int) {
    let count = pool.count / width
    var bits = 64
    while bits < count * 8 { bits *= 2 }
    let mask = UInt64(bits - 1)
    var words = [UInt64](repeating: 0, count: bits / 64)
    pool.withUnsafeBytes { bytes in
      words.withUnsafeMutableBufferPointer { words in
        for i in 0..<count {
          // Places are below `bits`, of which `words` has room for all.
          let hash = Self.hash(bytes, at: i &* width, width: width)
          for shift: UInt64 in [0, 21, 42] {
            let bit = (hash >> shift) & mask
            words[Int(bit >> 6)] |= 1 << (bit & 63)
          }
        }
      }
    }
    self.mask = mask
    self.words = words
  }

  /// Whether the pool may hold an id; `false` is certain.
  func mayHold(_ id: [UInt8]) -> Bool {
    let hash = id.withUnsafeBytes { Self.hash($0, at: 0, width: id.count) }
    return [0, 21, 42].allSatisfy { (shift: UInt64) in
      let bit = (hash >> shift) & mask
      return words[Int(bit >> 6)] >> (bit & 63) & 1 != 0
    }
  }

  @inline(__always)
  private static func hash(_ bytes: UnsafeRawBufferPointer, at start: Int, width: Int) -> UInt64 {
    XXH64.hash(UnsafeRawBufferPointer(rebasing: bytes[start..<start + width]))
  }
}

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
    let form = text.withUnsafeBufferPointer { IdentifierForm(like: $0.baseAddress!, $0.count) }
    guard let form, let id = form.packed(text) else { return [] }
    guard
      handle.table.chunks.contains(where: {
        $0.role == .identifierPool && Int($0.instance) == form.width
      })
    else { return [] }
    // A filter pays when there is a second question.
    if handle.keepsDecoded, try !identifierFilter(width: form.width).mayHold(id) { return [] }
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

  /// The filter over the pool of a width.
  private func identifierFilter(width: Int) throws -> IdentifierFilter {
    if let known = filters[width] { return known }
    let made = IdentifierFilter(pool: try identifierPool(width: width), width: width)
    filters[width] = made
    return made
  }
}

extension IdentifierForm {
  /// A text as the bytes of an id; `nil` when it is not of the form.
  fileprivate func packed(_ text: [UInt8]) -> [UInt8]? {
    var id = [UInt8](repeating: 0, count: width)
    let fits = text.withUnsafeBufferPointer { text in
      id.withUnsafeMutableBufferPointer {
        pack(text.baseAddress!, text.count, into: $0.baseAddress!)
      }
    }
    return fits ? id : nil
  }
}
