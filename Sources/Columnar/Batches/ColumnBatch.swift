/// Named columns of equal length: what operators exchange and what a query returns.
package struct ColumnBatch: Sendable {
  /// Column names, in order; unique within a batch.
  package let names: [String]
  package let columns: [ColumnVector]
  package let rowCount: Int

  /// - Precondition: one name per column, every column has `rowCount` rows.
  package init(names: [String], columns: [ColumnVector], rowCount: Int) {
    precondition(names.count == columns.count, "a batch needs one name per column")
    precondition(
      columns.allSatisfy { $0.count == rowCount }, "columns of a batch differ in length")
    self.names = names
    self.columns = columns
    self.rowCount = rowCount
  }
}
