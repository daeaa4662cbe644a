/// Bounds of what one query may hold, beyond its memory budget.
enum EngineLimits {
  /// Groups of one `stats`; more than a person can read and most machines can hold.
  static let groups = 1_000_000
}
