/// A sum over the events of a row group that does not depend on their order or layout: whoever
/// rewrites events must arrive at the same sum, or has lost, doubled or changed one.
///
/// Each event adds a 128-bit hash of (time, stream, text), wrapping around.
package struct ContentSum: Sendable, Hashable {
  package private(set) var low: UInt64
  package private(set) var high: UInt64

  package init(low: UInt64 = 0, high: UInt64 = 0) {
    self.low = low
    self.high = high
  }

  /// Adds one event.
  package mutating func add(text: UnsafeRawBufferPointer, time: Int64, streamHash: UInt64) {
    let hash = XXH64.hash(text)
    let seed = UInt64(bitPattern: time) &* 0x9E37_79B9_7F4A_7C15 ^ streamHash
    let product = (hash ^ seed).multipliedFullWidth(by: 0xC2B2_AE3D_27D4_EB4F)
    low &+= product.low ^ seed
    high &+= product.high ^ hash
  }

  /// Adds the events of another sum.
  package static func &+= (sum: inout ContentSum, other: ContentSum) {
    sum.low &+= other.low
    sum.high &+= other.high
  }

  /// Takes the events of another sum away.
  package static func &-= (sum: inout ContentSum, other: ContentSum) {
    sum.low &-= other.low
    sum.high &-= other.high
  }
}
