import Columnar

/// The paths of an object that are fields by themselves, as the columns of events have them: those of its scalars and of
/// the lists that are kept as one value; see ``ShapeParser`` for which these are.
struct LeafPaths {
  /// In the order of the object, those of nulls among them.
  private(set) var paths: [String] = []
  private var openLists = 0
  /// Paths in lists.
  private var countInLists = 0

  init(_ object: Value) { _ = add(object, "") }

  /// Adds a value; `false` if the innermost list around it has to be kept as one value.
  private mutating func add(_ value: Value, _ path: String) -> Bool {
    func below(_ name: String) -> String { path.isEmpty ? name : path + "." + name }
    switch value {
    case .map(let map):
      for (key, member) in zip(map.keys, map.values) {
        guard add(member, below(key)) else { return false }
      }
      return true
    case .list(let elements):
      return add(elements, path)
    default:
      return addLeaf(path)
    }
  }

  private mutating func add(_ elements: [Value], _ path: String) -> Bool {
    let (known, knownInLists) = (paths.count, countInLists)
    openLists += 1
    let fits =
      elements.count <= StorageLimits.positionalElementsPerArray
      && elements.indices.allSatisfy { add(elements[$0], "\(path).\($0)") }
    openLists -= 1
    if fits { return true }
    paths.removeLast(paths.count - known)
    countInLists = knownInLists
    return addLeaf(path)
  }

  private mutating func addLeaf(_ path: String) -> Bool {
    if openLists > 0 {
      guard countInLists < StorageLimits.positionalSlotsPerEvent else { return false }
      countInLists += 1
    }
    paths.append(path)
    return true
  }
}
