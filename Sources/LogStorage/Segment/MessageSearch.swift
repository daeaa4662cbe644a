import Columnar

/// Where a literal occurs in whole events, found without putting them together.
///
/// An event is the pieces of its shape with a value between each two, so ``PieceSearch`` judges shape by shape what it
/// judges template by template elsewhere. Keys lie in pieces; a word that is no key can only lie in
/// values, and each column is searched once for all the shapes that have it, in the form it is stored in. Numbers, times and ids
/// are not even read when the literal has a byte that they cannot have.
///
///     literal "OOMKilled"      message, reason: searched; status, latency_ms, trace_id: cannot hold an O
///     literal "\"status\":50"  in no piece, over the edge of status in the shapes that have it: its values are
///                              searched with that edge; in all other shapes nowhere
struct MessageSearch {
  let search: ByteSearch
  let decoder: RowGroupDecoder

  private var table: RowGroupTable { decoder.handle.table }
  /// Columns and edges that are searched one by one: each takes a pass over all rows or shapes, and where there are thousands,
  /// the texts of the events are put together sooner.
  private static let mostPlaces = 1_024

  /// The stored rows whose text holds the literal.
  ///
  /// - Throws: `StorageError` when a column that had to be searched is damaged.
  func matches() throws -> Bitmap {
    let pieces = try decoder.shapePieces()
    let searching = PieceSearch(search: search)
    var whole: Set<Int> = []
    var open: Set<Int> = []
    var columns: Set<Int> = []
    var edges: [(shape: Int, candidate: PieceSearch.Candidate)] = []
    var known = [PieceSearch.Variable?](repeating: nil, count: table.chunks.count)
    for (shape, entry) in table.shapes.enumerated() where entry.rowCount > 0 {
      let variables = try entry.columns.map { column in
        let variable = try known[column] ?? variable(column)
        known[column] = variable
        return variable
      }
      switch searching.verdict(on: pieces[shape], variables) {
      case .all: whole.insert(shape)
      case .texts: open.insert(shape)
      case .variables(let candidates):
        for candidate in candidates {
          if candidate.isInside { columns.insert(entry.columns[candidate.slot]) }
          if candidate.isAtEdge { edges.append((shape, candidate)) }
        }
      }
    }
    var found = try rows(of: whole)
    if columns.count + edges.count > Self.mostPlaces {
      var rest = found
      rest.invert()
      try findInTexts(of: rest, &found)
      return found
    }
    for column in columns.sorted() { try find(in: column, &found) }
    for edge in edges { try findAtEdge(edge.candidate, edge.shape, pieces[edge.shape], &found) }
    if !open.isEmpty { try findInTexts(of: rows(of: open), &found) }
    return found
  }

  private func variable(_ index: Int) throws -> PieceSearch.Variable {
    let chunk = table.chunks[index]
    return PieceSearch.Variable(
      alphabet: try decoder.alphabet(ofColumn: index),
      mayBeEmpty: chunk.kind == .string || chunk.kind == .text)
  }

  private func rows(of shapes: Set<Int>) throws -> Bitmap {
    if shapes.isEmpty { return Bitmap(repeating: false, count: table.rowCount) }
    let isWanted = table.shapes.indices.map { shapes.contains($0) }
    let codes = try decoder.shapeCodes()
    return Bitmap(count: codes.count) { isWanted[Int(codes[$0])] }
  }

  private func find(in column: Int, _ found: inout Bitmap) throws {
    let hits = try decoder.matches(search, inColumn: column, meaningEscapes: false)
    if hits.isEmpty { return }
    let rows = try decoder.rows(ofColumn: column)
    for hit in hits.setRows() { found[rows.map { Int($0[Int(hit)]) } ?? Int(hit)] = true }
  }

  private func findAtEdge(
    _ candidate: PieceSearch.Candidate, _ shape: Int, _ pieces: ShapePieces, _ found: inout Bitmap
  ) throws {
    let around = PieceSearch(search: search).surroundings(of: candidate.slot, in: pieces)
    let column = table.shapes[shape].columns[candidate.slot]
    let rows = try rows(of: [shape]).setRows()
    let positions = try decoder.ranks(inColumn: column)?.positions(of: rows, none: -1)
    let hits = try decoder.columnData(column).hits(
      search, count: rows.count, before: around.before, after: around.after
    ) { i in positions?[i] ?? Int(rows[i]) }
    for hit in hits.setRows() { found[Int(rows[Int(hit)])] = true }
  }

  private func findInTexts(of rows: Bitmap, _ found: inout Bitmap) throws {
    let rows = rows.setRows()
    let hits = search.rows(in: try decoder.messages(rows))
    for hit in hits.setRows() { found[Int(rows[Int(hit)])] = true }
  }
}

extension RowGroupDecoder {
  /// The bytes that the values of a column may have; for numbers, times and ids known without reading it.
  func alphabet(ofColumn index: Int) throws -> Alphabet {
    switch handle.table.chunks[index].encoding {
    case .integer?, .decimal?, .timestampNumber?, .identifier?:
      return Alphabet(of: handle.table.chunks[index].encoding!)
    default:
      return try knownAlphabet(ofColumn: index)
    }
  }

  /// The values of a column that hold a literal.
  ///
  /// - Parameter meaningEscapes: searches what the escapes of texts mean, not the texts as they are stored.
  /// - Throws: `StorageError` when the column is damaged.
  func matches(
    _ search: ByteSearch, inColumn index: Int, meaningEscapes: Bool
  ) throws -> Bitmap {
    let chunk = handle.table.chunks[index]
    let hasEscapes = chunk.hasEscapes && meaningEscapes
    let data = try columnData(index)
    do {
      if case .templates(let run) = data {
        return try TemplateSearch(search: search, run: run, hasEscapes: hasEscapes).matches()
      }
      if hasEscapes {
        let values = DenseColumn(data: data, kind: chunk.kind, hasEscapes: true)
        return search.rows(in: try values.vector(positions: .all(chunk.valueCount)))
      }
      return try data.hits(search, count: chunk.valueCount) { $0 }
    } catch let failure as DecodingFailure {
      throw damage(column: "column '\(chunk.path)'", failure.reason)
    }
  }

  /// The rows whose field holds one of several literals; `nil` if the field is better searched by its values: it is not
  /// a text everywhere, or has no long texts.
  func search(_ field: String, for literals: [ByteSearch]) throws -> Bitmap? {
    let resolution = handle.resolution(of: field)
    guard !resolution.hasStructures, !resolution.hasTexts, fields.use(field, scan: scan) == nil
    else { return nil }
    let chunks = handle.table.chunks
    guard resolution.chunks.allSatisfy({ chunks[$0].kind == .string }),
      resolution.chunks.contains(where: { chunks[$0].encoding == .templates })
    else { return nil }
    var found = Bitmap(repeating: false, count: handle.table.rowCount)
    for index in resolution.chunks {
      var hits = Bitmap(repeating: false, count: chunks[index].valueCount)
      for literal in literals {
        hits.formUnion(try matches(literal, inColumn: index, meaningEscapes: true))
      }
      if hits.isEmpty { continue }
      let rows = try rows(ofColumn: index)
      let codes = try shapeCodes()
      for hit in hits.setRows() {
        let row = rows.map { Int($0[Int(hit)]) } ?? Int(hit)
        // Another value of the same name may hide this one.
        if resolution.places[Int(codes[row])] == .chunk(index) { found[row] = true }
      }
    }
    return found
  }

  /// The rows that have a field whose values are all in chunks.
  func presence(of field: String) throws -> Bitmap {
    let isPresent = handle.resolution(of: field).places.map { $0 != .absent }
    let codes = try shapeCodes()
    return Bitmap(count: codes.count) { isPresent[Int(codes[$0])] }
  }
}
