import Columnar
import LogStorage

/// What puts rows in order: their keys, then what tells equal ones apart.
struct RowRule: Sendable {
  /// Whether each key is descending.
  let directions: [Bool]
  /// The order of events equal in all keys; `nil` keeps rows as they came.
  var tieOrder: ScanRequest.Order?
  /// Whether keys that sort alike but are no one key stand by their texts, as the groups of a `stats`.
  var tellsKeysApart = false

  /// Rows numbered by their places.
  static let places = RowRule(directions: [false])

  /// Bytes that sorting takes for each row, about: a word for each key twice, and for texts what ranks them, and a table
  /// of the distinct ones if few are.
  func sortingByteCount(_ keys: [ColumnVector]) -> Int {
    keys.reduce(tieOrder == nil ? 24 : 48) { sum, key in
      switch key {
      case .strings(let vector): sum + 80 + vector.bytes.count / (4 * max(1, vector.count))
      case .values: sum + 120
      case .missing, .constant: sum
      default: sum + 16
      }
    }
  }

  /// The row numbers in order, the first `limit` of them if one is given.
  func order(of piece: SortPiece, limit: Int? = nil) -> SelectionVector {
    let texts = tellsKeysApart ? piece.keys.compactMap(\.keyTexts) : []
    let events = tieOrder == nil ? [] : RowSort.eventKeys(piece.batch.order)
    let descending =
      directions + texts.map { _ in false } + events.map { _ in tieOrder != .oldestFirst }
    return RowSort.order(piece.keys + texts + events, descending, limit: limit)
  }

  /// How a row stands to another one, as ``order(of:limit:)`` has it.
  func order(_ a: SortPiece, _ row: Int, _ b: SortPiece, _ other: Int) -> Ordering {
    for (key, isDescending) in directions.enumerated() {
      let order = SortOrder.order(a.keys[key].value(at: row), b.keys[key].value(at: other))
      if order != .equal { return isDescending ? order.reversed : order }
    }
    if tellsKeysApart {
      for key in directions.indices {
        let order = SortOrder.order(
          a.keys[key].value(at: row).keyText, b.keys[key].value(at: other).keyText)
        if order != .equal { return order }
      }
    }
    guard let tieOrder, let left = a.batch.order, let right = b.batch.order else { return .equal }
    let own = (left.times[row], left.sequences[row])
    let foreign = (right.times[other], right.sequences[other])
    if own == foreign { return .equal }
    return (own < foreign) == (tieOrder == .oldestFirst) ? .less : .greater
  }
}

extension SortPiece {
  /// About how many bytes the rows and their keys take.
  var byteCount: Int { batch.byteCount + keys.reduce(0) { $0 + $1.approximateByteCount } }

  /// The rows of these numbers, in this order.
  func gather(_ rows: SelectionVector) -> SortPiece {
    SortPiece(batch: batch.gather(rows), keys: keys.map { $0.gather(rows) })
  }

  /// The rows of a range.
  func slice(_ range: Range<Int>) -> SortPiece {
    SortPiece(batch: batch.slice(range), keys: keys.map { $0.slice(range) })
  }

  /// The rows of all pieces, one after the other.
  ///
  /// - Precondition: at least one piece.
  static func concatenated(_ pieces: [SortPiece]) -> SortPiece {
    guard pieces.count > 1 else { return pieces[0] }
    return SortPiece(
      batch: .concatenated(pieces.map(\.batch)),
      keys: pieces[0].keys.indices.map { key in .concatenate(pieces.map { $0.keys[key] }) })
  }
}

extension Value {
  /// The text by which the value is told apart as a key; missing for what is none.
  var keyText: Value {
    if isMissing || isStructure { return .missing }
    return .string(KeyIdentity.withText(of: self) { String(decoding: $0, as: UTF8.self) })
  }
}
