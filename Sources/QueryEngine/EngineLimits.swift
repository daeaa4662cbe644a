/// Bounds of what one query may hold, beyond its memory budget.
enum EngineLimits {
  /// Different values that a subquery of `in` may return.
  static let subqueryValues = 50_000
  /// Different keys on the right side of a `join`, where CloudWatch's limits hold.
  static let joinKeys = 50_000
  /// How long a subquery may run.
  static let subquerySeconds = 30
  /// Log groups that one `SOURCE` may select.
  static let selectedGroups = 10_000
}
