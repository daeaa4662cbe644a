import Columnar

// Some commands read events a second time: `in (…)`, `join` and `appendcols` run a query of their
// own, a comparison with yesterday runs the same one over another window. Such an inner query is a
// whole plan with slots, log groups and a window of its own, and it is not correlated: it is run
// to its end before the outer one reads a single event, on the same source, and what it found lies
// ready under its number.
//
//     filter id in (SOURCE "users" | fields id)
//     subplans[0]: scan users → id         outer filter: id in subplan 0

/// A query that another one runs before itself.
struct Subplan: Sendable {
  /// What becomes of its rows.
  enum Use: Sendable {
    /// All rows are kept, in their order.
    case rows
    /// The values of one column of the result, each once.
    case values(column: Int)
    /// All rows are kept, and found again by the key in one column of the result.
    case join(key: Int)
  }

  /// What it is to the outer query, such as `join`; names it in explanations and failures.
  var name: String
  var plan: LogicalPlan
  var use: Use
  /// The most rows that are of use; further ones are not asked for.
  var rowLimit: Int?
  /// The longest it may run (E408); `nil` as long as the outer query.
  var timeLimit: Duration?
}

/// What a finished inner query left.
struct SubplanResult: Sendable {
  /// Rows in their order, for all uses but `values`.
  var rows: [ColumnBatch] = []
  /// For `values` the values, for `join` the keys of all rows.
  var index = EqualityIndex()
  /// For `join` the rows, where memory has no room for them; `rows` and `index` are empty then.
  var spilled: SpilledJoinSide?
  /// For `values`: each once, in the order in which they came.
  var values: [Value] = []

  /// How many rows there are.
  var rowCount: Int { rows.reduce(0) { $0 + $1.rowCount } }

  /// The values of a column in all rows, of a result whose batches have the same columns.
  func column(_ position: Int) -> ColumnVector {
    rows.isEmpty ? .missing(count: 0) : .concatenate(rows.map { $0.columns[position] })
  }
}

/// The right side of `in (…)`.
enum RowSet: Sendable {
  /// The number of the inner query that will give the values.
  case subplan(Int)
  /// Its result.
  case result(SubplanResult)
}

extension LogicalPlan {
  /// The plan with the values of inner queries in its conditions.
  func filled(with results: [SubplanResult]) -> LogicalPlan {
    guard !results.isEmpty else { return self }
    var plan = self
    for index in plan.segments.indices {
      plan.segments[index].filters = plan.segments[index].filters.map { $0.filled(with: results) }
    }
    return plan
  }
}

extension BoundExpression {
  fileprivate func filled(with results: [SubplanResult]) -> BoundExpression {
    guard case .amongRows(let operand, .subplan(let number), let isNegated) = kind else {
      return mapChildren { $0.filled(with: results) }
    }
    return BoundExpression(
      .amongRows(operand, .result(results[number]), isNegated: isNegated))
  }
}
