import Columnar

/// Sorting rows of events.
enum RowSort {
  /// The row numbers in the order of the keys, the first `limit` of them if one is given. Rows equal
  /// in all keys stay in their order.
  ///
  /// - Precondition: all keys are of equal length; without keys there are no rows.
  static func order(_ keys: [ColumnVector], _ descending: [Bool], limit: Int?) -> SelectionVector {
    SortKernel.order(
      keys: keys, descending: descending, rowCount: keys.first?.count ?? 0, limit: limit)
  }

  /// The keys that bring events newest first, later arrivals first among equals; none for rows that
  /// are no events.
  static func eventKeys(_ order: RowOrder?) -> [ColumnVector] {
    guard let order else { return [] }
    // Arrival numbers fit 63 bits: a store would need ages to use them up.
    return [
      .timestamps(IntegerVector(values: order.times)),
      .integers(IntegerVector(values: order.sequences.map { Int64(bitPattern: $0) })),
    ]
  }
}
