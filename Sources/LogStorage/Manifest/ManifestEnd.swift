/// How far the manifest log reached: number of the log and generation of its last record.
///
/// A hint beside the log, written when a record is durable and not synced. After a crash it may be older than
/// the log or torn, and then says nothing; a newer one proves that records have gone.
///
/// ```text
/// number u64 · generation u64 · check u64 (XXH64 of both)
/// ```
struct ManifestEnd: Sendable, Hashable {
  static let byteCount = 24

  var number: UInt64
  var generation: UInt64

  init(number: UInt64, generation: UInt64) {
    self.number = number
    self.generation = generation
  }

  /// Reads it; `nil` when there is none, or it is torn.
  init?(_ names: FileNames, _ fileSystem: any FileSystem) {
    guard let bytes = try? fileSystem.contents(of: names.manifestEnd),
      bytes.count == Self.byteCount
    else { return nil }
    var reader = FieldReader(bytes, name: names.manifestEnd)
    guard let number = try? reader.number(UInt64.self),
      let generation = try? reader.number(UInt64.self), let check = try? reader.number(UInt64.self),
      check == XXH64.hash(Array(bytes[..<16]))
    else { return nil }
    self.init(number: number, generation: generation)
  }

  /// Writes it; the caller holds the manifest lock. Nothing depends on whether it can.
  func write(_ names: FileNames, _ fileSystem: any FileSystem) {
    var writer = FieldWriter()
    writer.put(number)
    writer.put(generation)
    writer.put(XXH64.hash(writer.bytes))
    try? fileSystem.open(names.manifestEnd, .openForPlacing).write(writer.bytes, at: 0)
  }
}
