/// Takes the texts of records apart one at a time, as ingestion does.
package final class RecordSplitter {
  private var parser = ShapeParser()
  private var text: [UInt8] = []
  private let slots = UnsafeMutablePointer<UInt64>.allocate(
    capacity: StorageLimits.slotsPerEvent)

  package init() {}

  deinit { slots.deallocate() }

  /// Whether a text could be a record, by its first byte.
  @inline(__always)
  package static func mayBeRecord(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = text.first else { return false }
    return first == UInt8(ascii: "{") || JSONText.isBlank(first)
  }

  /// Takes a text apart.
  ///
  /// - Returns: what `body` makes of the key — the text with one marker byte, a ``SlotKind``, for each slot — and of
  ///   the texts of the slots; `nil` for a text that is no JSON object, or one too large to take apart.
  /// - Complexity: O(bytes)
  package func split<Result>(
    _ record: UnsafeBufferPointer<UInt8>,
    _ body: (
      _ key: UnsafeBufferPointer<UInt8>, _ slot: (Int) -> UnsafeBufferPointer<UInt8>
    ) -> Result
  ) -> Result? {
    text.removeAll(keepingCapacity: true)
    text.append(contentsOf: record)
    text.append(contentsOf: repeatElement(0, count: RecordBlock.padding))
    return text.withUnsafeBufferPointer { text -> Result? in
      guard let base = text.baseAddress,
        parser.parse(base, base + record.count, block: base, slots: slots)
      else { return nil }
      let key = UnsafeBufferPointer(start: UnsafePointer(parser.key), count: parser.keyCount)
      return body(key) { index in
        UnsafeBufferPointer(
          start: base + Int(slots[index] >> 32), count: Int(slots[index] & 0xFFFF_FFFF))
      }
    }
  }
}
