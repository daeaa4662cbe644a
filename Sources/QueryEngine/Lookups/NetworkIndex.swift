// The narrowest network that holds an address. Networks of one prefix length do not overlap, so each
// length has a hash table from the leading bits to the row; an address tries the lengths from the
// longest to the shortest, with as many of its bits, and the first hit is the narrowest network.
//
//     10.0.0.0/8    row 0        /16: 10.1 → row 1        10.1.2.3 → 10.1 → row 1
//     10.1.0.0/16   row 1        /8:  10   → row 0        10.9.9.9 → 10.9 no, 10 → row 0
//
// A table has few lengths, at most 33 for IPv4 and 129 for IPv6. An IPv6 address that maps an IPv4 one
// (::ffff:10.1.2.3) counts as that one, and so do networks of such addresses.

/// Finds the row of a table with the narrowest network that holds an address.
struct NetworkIndex: Sendable {
  /// The networks of one family and prefix length.
  private struct Level: Sendable {
    let prefixLength: Int
    var rows: [UInt128: Int32]
  }

  private var v4: [Level]
  private var v6: [Level]
  private(set) var byteCount = 0

  /// - Returns: `nil` if a cell of the column is no network and no address.
  init?(_ table: LookupTable, column: Int) {
    var levels = [true: [Int: [UInt128: Int32]](), false: [:]]
    for row in 0..<table.rowCount {
      guard let text = table.cell(row: row, column: column) else { continue }
      guard let network = Self.network(text) else { return nil }
      let bits = Self.prefix(of: network.address, network.prefixLength)
      let isV4 = network.address.isV4
      if levels[isV4]?[network.prefixLength]?[bits] == nil {
        levels[isV4]?[network.prefixLength, default: [:]][bits] = Int32(row)
        byteCount += 64
      }
    }
    let sorted = levels.mapValues { family in
      family.map { Level(prefixLength: $0.key, rows: $0.value) }
        .sorted { $0.prefixLength > $1.prefixLength }
    }
    v4 = sorted[true] ?? []
    v6 = sorted[false] ?? []
  }

  /// Whether no cell of the column was there.
  var isEmpty: Bool { v4.isEmpty && v6.isEmpty }

  /// The row for the text of an address.
  func row(for text: String) -> Int? {
    guard let address = IPAddress(text)?.unmapped else { return nil }
    for level in address.isV4 ? v4 : v6 {
      if let row = level.rows[Self.prefix(of: address, level.prefixLength)] { return Int(row) }
    }
    return nil
  }

  /// The network that a cell means; an address alone is a network of its own.
  static func network(_ text: String) -> (address: IPAddress, prefixLength: Int)? {
    if let address = IPAddress(text)?.unmapped { return (address, address.isV4 ? 32 : 128) }
    guard let subnet = IPSubnet(text) else { return nil }
    let plain = subnet.address.unmapped
    guard plain.isV4, !subnet.address.isV4 else { return (subnet.address, subnet.prefixLength) }
    // Fewer than 96 bits hold more than the mapped addresses, and stay a network of IPv6.
    return subnet.prefixLength < 96
      ? (subnet.address, subnet.prefixLength) : (plain, subnet.prefixLength - 96)
  }

  private static func prefix(of address: IPAddress, _ length: Int) -> UInt128 {
    let rest = (address.isV4 ? 32 : 128) - length
    return rest >= 128 ? 0 : address.bits >> UInt128(rest)
  }
}

extension IPAddress {
  /// The IPv4 address that this one maps; itself if it maps none.
  fileprivate var unmapped: IPAddress {
    guard !isV4, bits >> 32 == 0xFFFF else { return self }
    return IPAddress(v4: UInt32(truncatingIfNeeded: bits))
  }
}
