/// A record block taken apart: for each record its shape, its slots and its event time.
package struct ScannedBlock: Sendable {
  package var block: RecordBlock
  /// Shapes of this block in order of first use; index 0 is always `Shape.text`.
  package var shapes: [Shape]
  /// One shape index per record.
  package var shapeOfRecord: [UInt32]
  /// `records + 1` positions in `slots`: record `i` has slots `slotStarts[i]..<slotStarts[i + 1]`.
  package var slotStarts: [UInt32]
  /// Where each slot's bytes lie in the block: offset in the high, length in the low 32 bits.
  package var slots: [UInt64]
  /// Event time of each record, ms since 1970.
  package var times: [Int64]
  /// How many records got the time of arrival because no time was found in them.
  package var recordsWithoutTime: Int

  package init(
    block: RecordBlock, shapes: [Shape], shapeOfRecord: [UInt32], slotStarts: [UInt32],
    slots: [UInt64], times: [Int64], recordsWithoutTime: Int
  ) {
    self.block = block
    self.shapes = shapes
    self.shapeOfRecord = shapeOfRecord
    self.slotStarts = slotStarts
    self.slots = slots
    self.times = times
    self.recordsWithoutTime = recordsWithoutTime
  }
}
