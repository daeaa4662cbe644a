import LogStorage

/// Some of the groups of a state, numbered anew from 0 in their order.
struct GroupSubset {
  /// Ascending.
  let groups: [UInt32]
  /// By group its new number; `none` for those left out.
  let places: [UInt32]

  static let none = UInt32.max

  /// - Parameter groupCount: how many groups there are.
  init(_ groups: [UInt32], of groupCount: Int) {
    self.groups = groups
    var places = [UInt32](repeating: Self.none, count: groupCount)
    for (place, group) in groups.enumerated() { places[Int(group)] = UInt32(place) }
    self.places = places
  }

  /// The elements of the groups, from an array that may end before the last group.
  func pick<Element>(_ elements: [Element], none: Element) -> [Element] {
    groups.map { Int($0) < elements.count ? elements[Int($0)] : none }
  }
}

extension ByteWriter {
  /// Appends arrays of numbers, one after the other, behind their lengths.
  mutating func append(lists: [[Double]]) {
    append(array: lists.map { UInt32($0.count) })
    for list in lists { list.withUnsafeBytes { append(contentsOf: $0) } }
  }
}

extension ByteReader {
  mutating func lists() throws(DecodingFailure) -> [[Double]] {
    let counts = try array(of: UInt32.self)
    var lists: [[Double]] = []
    lists.reserveCapacity(counts.count)
    for count in counts {
      let bytes = try take(Int(count) * 8)
      lists.append(
        [Double](unsafeUninitializedCapacity: Int(count)) { target, used in
          // Exactly the bytes of `count` doubles, all of which are initialised here.
          UnsafeMutableRawBufferPointer(target).copyMemory(from: bytes)
          used = Int(count)
        })
    }
    return lists
  }
}
