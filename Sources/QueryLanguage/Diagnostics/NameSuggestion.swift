/// Finds the name that was probably meant by a misspelt one.
package enum NameSuggestion {
  /// The candidate nearest to `word`, or nil if none is near enough.
  ///
  /// Near enough means at most a third of the letters wrong, case aside. Among equals the earlier
  /// candidate wins.
  ///
  /// - Complexity: O(candidates · word length²).
  package static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    let folded = Array(word.lowercased().unicodeScalars)
    guard !folded.isEmpty, folded.count <= 64 else { return nil }
    let tolerance = max(1, (folded.count + 1) / 3)
    var best: (name: String, distance: Int)?
    for candidate in candidates {
      let other = Array(candidate.lowercased().unicodeScalars)
      guard abs(other.count - folded.count) <= tolerance else { continue }
      let distance = distance(folded, other)
      // A word of one or two letters is no misspelling of another that shares none with it.
      guard distance <= tolerance, distance < max(folded.count, other.count) else { continue }
      if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
    }
    return best?.name
  }

  /// How many insertions, deletions, replacements and swaps of neighbours turn one text into the
  /// other (optimal string alignment).
  ///
  /// With `x` down and `y` across, cell (i, j) is the cost of making the first j letters out of
  /// the first i: `limt` → `limit` costs 1, the `i` put in; `lmiit` → `limit` costs 1 too, a swap.
  static func distance(_ x: [Unicode.Scalar], _ y: [Unicode.Scalar]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...y.count)
    for i in 0..<x.count {
      var row = [i + 1]
      for j in 0..<y.count {
        var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (x[i] == y[j] ? 0 : 1))
        if i > 0, j > 0, x[i] == y[j - 1], x[i - 1] == y[j] {
          cost = min(cost, beforeLast[j - 1] + 1)
        }
        row.append(cost)
      }
      (beforeLast, last) = (last, row)
    }
    return last[y.count]
  }
}
