import Columnar
import LogStorage

/// Makes the templates of records of their texts, one record at a time.
struct RecordTexts {
  typealias Bytes = UnsafeBufferPointer<UInt8>

  private let splitter = RecordSplitter()
  private var keys = ByteTable()
  private var frames: [RecordFrame] = []
  /// The template of the last record, and the forms of its slots.
  private(set) var template: [UInt8] = []
  private(set) var slots: [[UInt8]] = []
  /// Takes the values of its slots and the tokens of its main one, if they are wanted.
  var tokens: RowTokens?

  /// Takes a text apart.
  ///
  /// - Returns: false for a text that is no record.
  mutating func take(_ text: Bytes, _ tokenizer: inout TemplateTokenizer) -> Bool {
    guard RecordSplitter.mayBeRecord(text) else { return false }
    // Taken out, as the closure below writes to what it is called on.
    let splitter = splitter
    tokens?.begin()
    return splitter.split(text) { key, slot in
      let frame = frame(key)
      var marks: SeverityMarks = []
      slots.removeAll(keepingCapacity: true)
      for index in frame.joined {
        slots.append(SlotForm.form(of: slot(index), frame.kinds[index], &tokenizer))
        marks.formUnion(SlotForm.marks(of: slot(index), frame.kinds[index]))
      }
      if tokens != nil {
        var forms = slots[...]
        for index in frame.kinds.indices where index != frame.main {
          tokens?.add(slot: slot(index), frame.kinds[index] == .number ? nil : forms.popFirst())
        }
      }
      template.removeAll(keepingCapacity: true)
      guard let main = frame.main else {
        RecordTemplate.append(frame, marks, main: [], to: &template)
        return true
      }
      tokenizer.tokenize(slot(main))
      if tokens != nil { tokens?.add(tokenizer.tokens, of: slot(main)) }
      tokenizer.withTemplate { RecordTemplate.append(frame, marks, main: $0, to: &template) }
      return true
    } ?? false
  }

  private mutating func frame(_ key: Bytes) -> RecordFrame {
    let number = Int(keys.insert(key))
    if number == frames.count { frames.append(RecordFrame(key: key)) }
    return frames[number]
  }
}
