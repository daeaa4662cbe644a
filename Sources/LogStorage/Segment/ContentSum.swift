extension ContentSum {
  /// Adds one event: a 128-bit hash of its text, time and stream.
  mutating func add(text: UnsafeRawBufferPointer, time: Int64, streamHash: UInt64) {
    let hash = XXH64.hash(text)
    let seed = UInt64(bitPattern: time) &* 0x9E37_79B9_7F4A_7C15 ^ streamHash
    let product = (hash ^ seed).multipliedFullWidth(by: 0xC2B2_AE3D_27D4_EB4F)
    self &+= ContentSum(low: product.low ^ seed, high: product.high ^ hash)
  }
}
