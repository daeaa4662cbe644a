import Columnar

/// Functions of IP addresses.
enum IPFunctions {
  static let all: [ScalarFunction] = [
    test(
      "isValidIp", "Whether the text is an IPv4 or IPv6 address.", "isValidIp('10.0.0.1')",
      ofMissing: .boolean(false)
    ) {
      _ in true
    },
    test(
      "isValidIpV4", "Whether the text is an IPv4 address.", "isValidIpV4('10.0.0.1')",
      ofMissing: .boolean(false)
    ) {
      $0.isV4
    },
    test(
      "isValidIpV6", "Whether the text is an IPv6 address.", "isValidIpV6('fe80::1')",
      ofMissing: .boolean(false)
    ) {
      !$0.isV4
    },
    subnet(
      "isIpInSubnet", "Whether the address lies in the subnet.",
      "isIpInSubnet('10.1.2.3', '10.0.0.0/8')", nil),
    subnet(
      "isIpv4InSubnet", "Whether the IPv4 address lies in the subnet.",
      "isIpv4InSubnet('10.1.2.3', '10.0.0.0/8')", true),
    subnet(
      "isIpv6InSubnet", "Whether the IPv6 address lies in the subnet.",
      "isIpv6InSubnet('2001:db8::1', '2001:db8::/32')", false),
    ScalarFunction(
      "ipv4ToNumber", .address, [.one("s")], "number", "The 32-bit number of an IPv4 address.",
      example: "ipv4ToNumber('10.0.0.1')",
      prepare: { literals throws(ArgumentProblem) in
        try checkFamily(of: literals[0], wantsV4: true)
        return nil
      }
    ) { arguments, _ in
      guard let address = arguments[0].text.flatMap(IPAddress.init), address.isV4 else {
        return .missing
      }
      return .integer(Int64(address.bits))
    },
    test(
      "isPrivateIP", "Whether the address is of a private network.", "isPrivateIP('192.168.1.1')"
    ) {
      $0.isPrivate
    },
    test(
      "isReservedIP", "Whether the address is reserved for special use.",
      "isReservedIP('127.0.0.1')"
    ) {
      $0.isReserved
    },
    test(
      "isPublicIP", "Whether the address is valid and neither private nor reserved.",
      "isPublicIP('8.8.8.8')"
    ) {
      !$0.isPrivate && !$0.isReserved
    },
  ]

  /// - Parameter ofMissing: what the function gives without a text; what is no address is false.
  private static func test(
    _ name: String, _ summary: String, _ example: String, ofMissing: Value = .missing,
    _ holds: @escaping @Sendable (IPAddress) -> Bool
  ) -> ScalarFunction {
    ScalarFunction(name, .address, [.one("s")], "boolean", summary, example: example) {
      arguments, _ in
      guard let text = arguments[0].text else { return ofMissing }
      return .boolean(IPAddress(text).map(holds) ?? false)
    }
  }

  /// A literal address of the wrong family is a slip that would never be true of any row.
  private static func checkFamily(of literal: Value?, wantsV4: Bool?) throws(ArgumentProblem) {
    guard let wantsV4, let address = literal?.text.flatMap(IPAddress.init),
      address.isV4 != wantsV4
    else { return }
    let wanted = wantsV4 ? "an IPv4 address" : "an IPv6 address"
    throw ArgumentProblem(argument: 0, kind: .mustBe(wanted))
  }

  /// - Parameter wantsV4: the family both must be of; `nil` for either.
  private static func subnet(
    _ name: String, _ summary: String, _ example: String, _ wantsV4: Bool?
  ) -> ScalarFunction {
    @Sendable func holds(_ value: Value, _ subnet: IPSubnet?) -> Value {
      guard let text = value.text else { return .missing }
      guard let subnet, let address = IPAddress(text) else { return .boolean(false) }
      return .boolean((wantsV4 ?? address.isV4) == address.isV4 && subnet.contains(address))
    }
    let wanted =
      switch wantsV4 {
      case true: "an IPv4 subnet such as '10.0.0.0/8'"
      case false: "an IPv6 subnet such as '2001:db8::/32'"
      default: "a subnet such as '10.0.0.0/8'"
      }
    return ScalarFunction(
      name, .address, [.one("s"), .one("cidr")], "boolean", summary, example: example,
      prepare: { literals throws(ArgumentProblem) in
        try checkFamily(of: literals[0], wantsV4: wantsV4)
        guard let literal = literals[1] else { return nil }
        guard let subnet = literal.text.flatMap(IPSubnet.init),
          (wantsV4 ?? subnet.address.isV4) == subnet.address.isV4
        else { throw ArgumentProblem(argument: 1, kind: .mustBe(wanted)) }
        return { arguments, _ in holds(arguments[0], subnet) }
      }
    ) { arguments, _ in
      guard let text = arguments[1].text else { return .missing }
      return holds(arguments[0], IPSubnet(text))
    }
  }
}

/// An IPv4 or IPv6 address; IPv4 lies in the low 32 bits.
package struct IPAddress: Sendable, Hashable {
  package let isV4: Bool
  package let bits: UInt128

  /// Reads four decimal octets without leading zeros, or RFC 4291 text; no port, zone id or brackets.
  package init?(_ text: String) {
    if let v4 = Self.v4(text.utf8[...]) {
      isV4 = true
      bits = UInt128(v4)
    } else if let v6 = Self.v6(text) {
      isV4 = false
      bits = v6
    } else {
      return nil
    }
  }

  /// An IPv4 address by its 32 bits.
  init(v4 bits: UInt32) {
    isV4 = true
    self.bits = UInt128(bits)
  }

  private static func v4(_ text: Substring.UTF8View) -> UInt32? {
    var bits: UInt32 = 0
    let octets = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard octets.count == 4 else { return nil }
    for octet in octets {
      guard (1...3).contains(octet.count), octet.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
        octet.count == 1 || octet.first != 0x30,
        let value = UInt8(String(decoding: octet, as: UTF8.self))
      else { return nil }
      bits = bits << 8 | UInt32(value)
    }
    return bits
  }

  private static func v6(_ text: String) -> UInt128? {
    let halves = text.parts(between: "::")
    guard text.utf8.contains(UInt8(ascii: ":")), halves.count <= 2 else { return nil }
    guard let head = groups(halves[0], mayEndInV4: halves.count == 1),
      let tail = halves.count == 2 ? groups(halves[1], mayEndInV4: true) : []
    else { return nil }
    let count = head.count + tail.count
    guard halves.count == 2 ? count <= 7 : count == 8 else { return nil }
    let all = head + [UInt16](repeating: 0, count: 8 - count) + tail
    return all.reduce(0) { $0 << 16 | UInt128($1) }
  }

  private static func groups(_ text: String, mayEndInV4: Bool) -> [UInt16]? {
    if text.isEmpty { return [] }
    var groups: [UInt16] = []
    let parts = text.parts(between: ":")
    for (index, part) in parts.enumerated() {
      if mayEndInV4, index == parts.count - 1, let v4 = v4(part.utf8[...]) {
        groups += [UInt16(v4 >> 16), UInt16(truncatingIfNeeded: v4)]
      } else {
        guard (1...4).contains(part.utf8.count), let group = UInt16(part, radix: 16),
          part.utf8.first != UInt8(ascii: "+")
        else { return nil }
        groups.append(group)
      }
    }
    return groups
  }

  private func lies(in subnets: [IPSubnet]) -> Bool { subnets.contains { $0.contains(self) } }

  var isPrivate: Bool { lies(in: Self.privateSubnets) }
  var isReserved: Bool { lies(in: Self.reservedSubnets) }

  private static let privateSubnets = [
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",
  ].compactMap(IPSubnet.init)
  private static let reservedSubnets = [
    "0.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/128",
    "::1/128", "fe80::/10", "ff00::/8", "2001:db8::/32",
  ].compactMap(IPSubnet.init)
}

/// A network in CIDR notation; bits behind the prefix may be set and do not count.
package struct IPSubnet: Sendable, Hashable {
  package let address: IPAddress
  package let prefixLength: Int

  package init?(_ text: String) {
    let parts = text.parts(between: "/")
    guard parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]),
      parts[1].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
      length <= (address.isV4 ? 32 : 128)
    else { return nil }
    self.address = address
    prefixLength = length
  }

  package func contains(_ other: IPAddress) -> Bool {
    guard other.isV4 == address.isV4 else { return false }
    let rest = (address.isV4 ? 32 : 128) - prefixLength
    return rest >= 128 || (other.bits ^ address.bits) >> UInt128(rest) == 0
  }
}
