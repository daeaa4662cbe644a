/// Finds out what the slots of a shape are, from its key alone: their dotted paths, and which of
/// several slots with one path is which.
///
/// Slots that share a display path are numbered from 0; the one a query sees is the one with
/// the highest `instance`. That is the last in the text, except that a literal key with a dot
/// wins over nested keys of the same display path, wherever it stands:
///
///     {"a":1,"a":"x"}        a number 0, a string 1: the string is seen
///     {"a.b":1,"a":{"b":2}}  a.b = 1 is instance 1: the literal key is seen
///
/// Slots cannot tell which of two values of one key is the last if one is an object or an array:
///
///     {"a":{"b":1},"a":{"c":2}}  has no a.b
struct ShapeResolver {
  /// A shape and the slots that may hold the event time, best first.
  struct Resolution {
    let shape: Shape
    let timeSlots: [TimeSlot]
    /// Whether an object has one key twice, once of them for an object or an array.
    let hasRepeatedContainer: Bool
  }

  /// A slot that may hold the event time.
  struct TimeSlot {
    /// Position in the shape.
    let slot: UInt16
    /// Its rank among the fields of `timeFields`; 0 is the best.
    let rank: UInt16
  }

  private struct Container {
    let isArray: Bool
    let path: UInt32
    var position = 0
    /// The keys of an object by their paths' names, those that came again, and those of objects and arrays.
    var keys: Set<UInt32> = []
    var repeated: Set<UInt32> = []
    var containers: Set<UInt32> = []

    mutating func add(key name: UInt32) {
      if !keys.insert(name).inserted { repeated.insert(name) }
    }
  }

  private var paths: PathTable
  /// How many names of `paths` are fields that hold the event time; they come first, best first.
  private let timeFieldCount: Int

  /// - Parameter timeFields: Paths of fields that may hold the event time, best first, no two alike.
  init(timeFields: [String]) {
    paths = PathTable(reserved: timeFields)
    timeFieldCount = timeFields.count
  }

  /// What the slots of a key are.
  ///
  /// - Parameter key: Made by `ShapeParser` from a valid record.
  mutating func resolve(_ key: UnsafeBufferPointer<UInt8>) -> Resolution {
    let (found, hasRepeatedContainer) = slots(of: key)
    let instances = instances(of: found)
    var descriptors: [SlotDescriptor] = []
    descriptors.reserveCapacity(found.count)
    for (index, slot) in found.enumerated() {
      descriptors.append(
        SlotDescriptor(
          path: paths.names[Int(paths.name(of: slot.path))], kind: slot.kind,
          instance: instances.isEmpty ? 0 : instances[index],
          isHidden: index >= StorageLimits.discoveredFieldsPerEvent))
    }
    return Resolution(
      shape: Shape(key: Array(key), slots: descriptors),
      timeSlots: timeSlots(found, instances),
      hasRepeatedContainer: hasRepeatedContainer)
  }

  // MARK: - Paths

  private typealias FoundSlot = (path: UInt32, kind: SlotKind)

  /// Walks the key, which is JSON with markers for scalars.
  private mutating func slots(
    of key: UnsafeBufferPointer<UInt8>
  ) -> (slots: [FoundSlot], hasRepeatedContainer: Bool) {
    var found: [FoundSlot] = []
    var hasRepeatedContainer = false
    var open: [Container] = []
    var path = PathTable.root
    var index = 0
    while index < key.count {
      let byte = key[index]
      index += 1
      switch byte {
      case 0x7B:
        noteContainer(at: path, &open)
        open.append(Container(isArray: false, path: path))
      case 0x5B:
        noteContainer(at: path, &open)
        open.append(Container(isArray: true, path: path))
        path = paths.element(path, 0)
      case 0x7D, 0x5D:
        let closed = open.removeLast()
        if !closed.repeated.isDisjoint(with: closed.containers) { hasRepeatedContainer = true }
        path = closed.path
      case 0x2C where open[open.count - 1].isArray:
        open[open.count - 1].position += 1
        let array = open[open.count - 1]
        path = paths.element(array.path, array.position)
      case 0x22 where key[index] != SlotKind.string.rawValue:
        let close = endOfKey(key, index)
        path = paths.member(
          open[open.count - 1].path, UnsafeBufferPointer(rebasing: key[index..<close]))
        open[open.count - 1].add(key: paths.name(of: path))
        index = close + 1
      case 0x22:
        found.append((path, .string))
        index += 2  // the marker and the closing quote
      default:
        guard let kind = SlotKind(rawValue: byte) else { continue }
        if kind == .verbatim { noteContainer(at: path, &open) }
        found.append((path, kind))
      }
    }
    return (found, hasRepeatedContainer)
  }

  private func noteContainer(at path: UInt32, _ open: inout [Container]) {
    guard let last = open.indices.last, !open[last].isArray else { return }
    open[last].containers.insert(paths.name(of: path))
  }

  private func endOfKey(_ key: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
    var index = start
    while key[index] != 0x22 { index += key[index] == 0x5C ? 2 : 1 }
    return index
  }

  // MARK: - Instances

  /// The instance of each slot; empty when no two slots have the same path.
  private func instances(of slots: [FoundSlot]) -> [UInt16] {
    var seen = Set<UInt32>(minimumCapacity: slots.count)
    guard !slots.allSatisfy({ seen.insert(paths.name(of: $0.path)).inserted }) else { return [] }
    // Deeper paths first, then the order of the text: the last one of a name is the one seen.
    let order = slots.indices.sorted {
      let (a, b) = (paths.depth(of: slots[$0].path), paths.depth(of: slots[$1].path))
      return a == b ? $0 < $1 : a > b
    }
    var counts: [UInt32: UInt16] = [:]
    var instances = [UInt16](repeating: 0, count: slots.count)
    for index in order {
      let name = paths.name(of: slots[index].path)
      instances[index] = counts[name, default: 0]
      counts[name, default: 0] += 1
    }
    return instances
  }

  private func timeSlots(_ slots: [FoundSlot], _ instances: [UInt16]) -> [TimeSlot] {
    var best = [Int?](repeating: nil, count: timeFieldCount)
    for (index, slot) in slots.enumerated() {
      let name = Int(paths.name(of: slot.path))
      guard name < timeFieldCount else { continue }
      if let other = best[name], !instances.isEmpty, instances[other] > instances[index] {
        continue
      }
      best[name] = index
    }
    return best.enumerated().compactMap { rank, index in
      guard let index, slots[index].kind == .string || slots[index].kind == .number else {
        return nil
      }
      return TimeSlot(slot: UInt16(index), rank: UInt16(rank))
    }
  }
}
