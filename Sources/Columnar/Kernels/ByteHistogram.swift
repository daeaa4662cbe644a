/// How often each byte occurs.
///
/// Four counters for each byte are taken in turn: an addition to a counter has to wait for the one before it to the same, and
/// bytes of codes are mostly the same few.
package enum ByteHistogram {
  /// - Returns: 256 counts.
  /// - Complexity: O(bytes)
  package static func counts(of bytes: ArraySlice<UInt8>) -> [Int] {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 4 * 256) { counts in
      counts.initialize(repeating: 0)
      bytes.withUnsafeBufferPointer { bytes in
        // A byte is below 256, and each of the four has so many counters.
        var i = 0
        while i &+ 4 <= bytes.count {
          counts[Int(bytes[i])] &+= 1
          counts[256 &+ Int(bytes[i &+ 1])] &+= 1
          counts[512 &+ Int(bytes[i &+ 2])] &+= 1
          counts[768 &+ Int(bytes[i &+ 3])] &+= 1
          i &+= 4
        }
        while i < bytes.count {
          counts[Int(bytes[i])] &+= 1
          i &+= 1
        }
      }
      return (0..<256).map { byte in
        stride(from: byte, to: 4 * 256, by: 256).reduce(0) { $0 + Int(counts[$1]) }
      }
    }
  }
}
