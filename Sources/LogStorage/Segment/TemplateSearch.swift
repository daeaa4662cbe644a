import Columnar

/// Where a literal text occurs in a column of templates, decided template by template (``PieceSearch``).
///
/// The literal is searched in what escapes mean, or in the texts as they are stored. Neither pieces nor variables cut an escape in
/// two, except that pieces of words may end inside of one: then only whole texts can tell.
struct TemplateSearch {
  let search: ByteSearch
  let run: TemplateRun
  /// Some text of the column may hold a JSON escape, and what it means counts.
  let hasEscapes: Bool

  /// Texts of a template below which their variables are not searched by themselves.
  private static let fewTexts = 16

  private let pieces: PieceSearch

  init(search: ByteSearch, run: TemplateRun, hasEscapes: Bool) {
    self.search = search
    self.run = run
    self.hasEscapes = hasEscapes
    pieces = PieceSearch(search: search)
  }

  /// The texts that hold the literal.
  ///
  /// - Throws: `DecodingFailure` or `StorageError` if what had to be looked at is damaged.
  func matches() throws -> Bitmap {
    var found = Bitmap(repeating: false, count: run.count)
    try findExceptions(&found)
    var open: [Int] = []
    // Of each column of variables that was searched, the values that hold the literal.
    var inside: [Int: Bitmap?] = [:]
    let layout = hasEscapes ? run.meantLayout : run.storedLayout
    open = layout.undecided
    try layout.pieces.forEachCandidate(search, pieces.masks) { place, isInPiece in
      let template = layout.templates[place]
      if isInPiece {
        for place in try run.codes().places(of: template) { found[Int(place)] = true }
        return
      }
      guard let meant = hasEscapes ? run.meantPieces[template] : run.templates[template].pieces
      else { return open.append(template) }
      switch pieces.verdict(
        on: meant, run.variables(of: template, meaningEscapes: hasEscapes))
      {
      case .all:
        for place in try run.codes().places(of: template) { found[Int(place)] = true }
      case .texts: open.append(template)
      case .variables(let candidates):
        let few = run.rowCounts[template] < Self.fewTexts
        if few, candidates.contains(where: \.isAtEdge) { return open.append(template) }
        for candidate in candidates {
          if candidate.isAtEdge {
            try findAtEdge(candidate.slot, template, meant, &found)
          } else {
            try findInside(candidate.slot, template, &inside, &found)
          }
        }
      }
    }
    if !open.isEmpty { try findTexts(open, &found) }
    return found
  }

  private func findExceptions(_ found: inout Bitmap) throws {
    guard run.rowCounts[0] > 0 else { return }
    let hits = search.rows(in: try run.exceptions(meaningEscapes: hasEscapes))
    if hits.isEmpty { return }
    for (k, place) in try run.codes().places(of: 0).enumerated() where hits[k] {
      found[Int(place)] = true
    }
  }

  /// Several small templates share a column, which is searched once.
  private func findInside(
    _ slot: Int, _ template: Int, _ inside: inout [Int: Bitmap?], _ found: inout Bitmap
  ) throws {
    let place = run.templates[template].slots[slot]
    if inside[place.column] == nil {
      let hits = try run.column(place.column).hits(
        search, count: run.valueCount(ofColumn: place.column), meaningEscapes: hasEscapes
      ) { $0 }
      inside[place.column] = .some(hits.isEmpty ? nil : hits)
    }
    guard let hits = inside[place.column] ?? nil else { return }
    var places: ArraySlice<UInt32>?
    for ordinal in 0..<run.rowCounts[template] where hits[place.first + ordinal] {
      let known = try places ?? run.codes().places(of: template)
      places = known
      found[Int(known[known.startIndex + ordinal])] = true
    }
  }

  private func findAtEdge(
    _ slot: Int, _ template: Int, _ meant: ShapePieces, _ found: inout Bitmap
  ) throws {
    let around = pieces.surroundings(of: slot, in: meant)
    let place = run.templates[template].slots[slot]
    let hits = try run.column(place.column).hits(
      search, count: run.rowCounts[template], before: around.before, after: around.after,
      meaningEscapes: hasEscapes
    ) { place.first + $0 }
    if hits.isEmpty { return }
    let places = try run.codes().places(of: template)
    for hit in hits.setRows() { found[Int(places[places.startIndex + Int(hit)])] = true }
  }

  private func findTexts(_ templates: [Int], _ found: inout Bitmap) throws {
    var open: [UInt32] = []
    for template in templates { open += try run.codes().places(of: template) }
    open.sort()
    let texts = try run.texts(at: open)
    let plain = hasEscapes ? JSONEscapes.decoded(texts) : texts
    let hits = search.rows(in: StringVector(offsets: plain.offsets, bytes: plain.bytes))
    for hit in hits.setRows() { found[Int(open[Int(hit)])] = true }
  }
}
