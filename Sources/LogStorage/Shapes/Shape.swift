/// The form of a record with every scalar cut out.
///
/// `{"a": 1, "b":"x"}` has the key `{"a": ␂, "b":"␁"}` where ␁ (0x01) stands for the inside of a
/// string, ␂ (0x02) for a number, ␃ (0x03) for `true`, `false` or `null`, and ␄ (0x04) for the whole
/// text of an array that is kept verbatim. Records of equal key have the same fields in the
/// same order with the same whitespace; the cut-out scalars, in order, are the record's *slots*.
/// A record whose bytes hold 0x01–0x04 outside what JSON allows is stored as text: shape
/// `Shape.text`, whose only slot is the whole record.
package struct Shape: Sendable, Hashable {
  /// The record's text with one marker byte per slot.
  package let key: [UInt8]
  /// What each slot is, in order of appearance.
  package let slots: [SlotDescriptor]

  package init(key: [UInt8], slots: [SlotDescriptor]) {
    self.key = key
    self.slots = slots
  }

  /// The shape of records that are not taken apart: one slot, the whole text.
  package static let text = Shape(
    key: [SlotKind.text.rawValue],
    slots: [SlotDescriptor(path: "", kind: .text, instance: 0, isHidden: false)])
}

/// What stands in a slot; the raw value is its marker byte in the shape's key.
package enum SlotKind: UInt8, Sendable, Hashable, CaseIterable {
  /// The inside of a JSON string, escapes kept, without its quotes.
  case string = 1
  /// A JSON number.
  case number = 2
  /// `true`, `false` or `null`.
  case literal = 3
  /// The whole text of an array kept as one value.
  case verbatim = 4
  /// A whole record that is not taken apart.
  case text = 5
}

/// The column a slot belongs to.
package struct SlotDescriptor: Sendable, Hashable {
  /// Dotted display path (`http.headers.0`), escapes of the keys decoded; empty for text records.
  package let path: String
  package let kind: SlotKind
  /// 0 for the first slot of this path in the record, whatever its kind, 1 for the next …; of slots
  /// with one path, a query sees the one with the highest instance (`ShapeResolver` says which).
  package let instance: UInt16
  /// Past the fields that a query discovers by itself.
  package let isHidden: Bool

  package init(path: String, kind: SlotKind, instance: UInt16, isHidden: Bool) {
    self.path = path
    self.kind = kind
    self.instance = instance
    self.isHidden = isHidden
  }
}
