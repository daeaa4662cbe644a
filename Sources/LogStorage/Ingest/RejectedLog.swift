// The records of a log group that could not become events, one JSON object a line, each with a checksum:
//
//     {"time":1795262400000,"reason":"too-long","input":"a.log","line":7,"bytes":20000000,"limit":16777216,"check":"5a3c…e1"}
//
// `check` is the XXH64 of the line up to the comma before it, seeded with the place of the line in the file: a changed,
// moved or removed line is told. How far the file reached stands in `<group>.end` beside it, written when the lines are
// durable: after a crash it says less than there is, or is torn and says nothing. A file that ends before it was cut.
// What comes after it and fails its check was being written when the power went; nobody was told that it is safe, and
// the next writer cuts it off.
//
//     0                     120                   245        365
//     │ line, check right   │ line, check wrong   │ line …   │ torn
//                             damage: left out, named        .end says 365: not damage
//
// Files of earlier versions have lines without checksums; they are read as they are, and what is appended has them.

/// The file of rejected records of one log group.
struct RejectedLog {
  /// How far the file reached.
  ///
  /// ```text
  /// first line with a checksum u64 · length u64 · check u64 (XXH64 of both)
  /// ```
  private struct End: Hashable {
    var firstChecked: UInt64
    var byteCount: UInt64

    init(firstChecked: UInt64, byteCount: UInt64) {
      self.firstChecked = firstChecked
      self.byteCount = byteCount
    }

    /// Reads it; `nil` when it is torn.
    init?(_ bytes: [UInt8]) {
      guard bytes.count == 24 else { return nil }
      var reader = FieldReader(bytes, name: "end")
      guard let firstChecked = try? reader.number(UInt64.self),
        let byteCount = try? reader.number(UInt64.self),
        let check = try? reader.number(UInt64.self),
        check == XXH64.hash(Array(bytes[..<16])), firstChecked <= byteCount
      else { return nil }
      self.init(firstChecked: firstChecked, byteCount: byteCount)
    }

    var bytes: [UInt8] {
      var writer = FieldWriter()
      writer.put(firstChecked)
      writer.put(byteCount)
      writer.put(XXH64.hash(writer.bytes))
      return writer.bytes
    }
  }

  /// What of a file is whole.
  struct Contents {
    /// Places of lines that are as they were written; neighbours are one.
    fileprivate(set) var whole: [Range<UInt64>] = []
    /// What is not, each with its place.
    fileprivate(set) var damage: [String] = []
    /// Bytes at the end of a write that was cut off, or is under way.
    fileprivate(set) var tornByteCount: UInt64 = 0
    /// Whether the hint of where the file ended is there and cannot be read.
    fileprivate(set) var hasLostEnd = false
    /// Where lines with checksums begin.
    fileprivate var firstChecked: UInt64 = 0
    fileprivate var byteCount: UInt64 = 0

    /// Whether the file can be read as it is.
    var isWhole: Bool { damage.isEmpty && tornByteCount == 0 }
  }

  /// No line is longer, so a file without line ends does not fill the memory.
  private static let longestLine = 1 << 20
  private static let checkByteCount = #","check":"0123456789abcdef"}"#.utf8.count

  let path: String
  let endPath: String
  private let fileSystem: any FileSystem

  init(group: String, names: FileNames, fileSystem: any FileSystem) {
    path = names.rejectedFile(group: group)
    endPath = names.rejectedEnd(group: group)
    self.fileSystem = fileSystem
  }

  // MARK: Checksums

  /// A line without its end, with its checksum.
  private static func sealed(_ line: ArraySlice<UInt8>, at place: UInt64) -> [UInt8] {
    let body = Array(line.dropLast())
    return body + Array(#","check":"\#(hex(XXH64.hash(body, seed: place)))"}"#.utf8)
  }

  private static func isIntact(_ line: ArraySlice<UInt8>, at place: UInt64) -> Bool {
    guard line.count > checkByteCount else { return false }
    let body = line.dropLast(checkByteCount) + [UInt8(ascii: "}")]
    return sealed(body, at: place)[...] == line
  }

  /// Whole lines with their checksums, as they stand from a place on.
  private static func sealed(lines: [UInt8], from place: UInt64) -> [UInt8] {
    var text: [UInt8] = []
    for line in lines.split(separator: UInt8(ascii: "\n")) {
      text += sealed(line, at: place + UInt64(text.count))
      text.append(UInt8(ascii: "\n"))
    }
    return text
  }

  // MARK: Reading

  /// Checks the file; `nil` when there is none and there should be none.
  ///
  /// - Throws: `StorageError`; damage does not throw.
  /// - Complexity: O(bytes of the file)
  func check() throws -> Contents? {
    // Before the file: it may grow meanwhile.
    let end = try readEnd()
    guard try fileSystem.status(of: path) != nil else {
      guard let end = end.value, end.byteCount > 0 else { return nil }
      var contents = Contents()
      contents.damage = [
        "\(path): has gone, with \(end.byteCount) bytes of records that were rejected"
      ]
      return contents
    }
    var contents = try check(fileSystem.open(path, .read), end.value)
    contents.hasLostEnd = end.exists && end.value == nil
    return contents
  }

  private func readEnd() throws -> (value: End?, exists: Bool) {
    guard try fileSystem.status(of: endPath) != nil else { return (nil, false) }
    return (End(try fileSystem.contents(of: endPath)), true)
  }

  private func check(_ file: any RandomAccessFile, _ end: End?) throws -> Contents {
    var contents = Contents()
    contents.byteCount = try file.length()
    contents.firstChecked = end?.firstChecked ?? .max
    var bad: Range<UInt64>?
    try forEachLine(of: file) { line, place, isEnded in
      if let start = bad?.lowerBound, let end, start >= end.byteCount {
        // Nothing from there on was said to be safe.
        bad = start..<contents.byteCount
        return
      }
      let next = place + UInt64(line.count) + (isEnded ? 1 : 0)
      let isChecked = isEnded && Self.isIntact(line, at: place)
      if isChecked { contents.firstChecked = min(contents.firstChecked, place) }
      guard isChecked || (isEnded && place < contents.firstChecked) else {
        bad = (bad?.lowerBound ?? place)..<next
        return
      }
      if let range = bad { contents.damage.append(damageText(range)) }
      bad = nil
      if contents.whole.last?.upperBound == place {
        contents.whole[contents.whole.count - 1] = contents.whole.last!.lowerBound..<next
      } else {
        contents.whole.append(place..<next)
      }
    }
    if let bad { noteTail(bad, end, &contents) }
    if let end, contents.byteCount < end.byteCount {
      contents.damage.append(
        "\(path): was cut: \(end.byteCount - contents.byteCount) bytes of rejected records have gone "
          + "from its end")
    }
    return contents
  }

  /// What fails its check at the very end.
  private func noteTail(_ bad: Range<UInt64>, _ end: End?, _ contents: inout Contents) {
    if let end, bad.lowerBound < end.byteCount {
      contents.damage.append(damageText(bad))
    } else {
      contents.tornByteCount = bad.upperBound - bad.lowerBound
    }
  }

  private func damageText(_ range: Range<UInt64>) -> String {
    "\(path): the rejected records from byte \(range.lowerBound) to \(range.upperBound) are damaged "
      + "and left out"
  }

  /// Hands out the lines without their ends, and whether they have one.
  private func forEachLine(
    of file: any RandomAccessFile, _ body: (ArraySlice<UInt8>, UInt64, Bool) -> Void
  ) throws {
    let length = try file.length()
    var pending: [UInt8] = []
    var place: UInt64 = 0
    while place + UInt64(pending.count) < length {
      let position = place + UInt64(pending.count)
      pending += try file.read(at: position, count: Int(min(64 << 10, length - position)))
      var start = 0
      while let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
        body(pending[start..<end], place + UInt64(start), true)
        start = end + 1
      }
      if pending.count - start > Self.longestLine {
        body(pending[start...], place + UInt64(start), false)
        start = pending.count
      }
      place += UInt64(start)
      pending.removeFirst(start)
    }
    if !pending.isEmpty { body(pending[...], place, false) }
  }

  /// The bytes of all whole lines.
  func bytes(of contents: Contents) throws -> [UInt8] {
    guard !contents.whole.isEmpty else { return [] }
    let file = try fileSystem.open(path, .read)
    return try contents.whole.flatMap {
      try file.read(at: $0.lowerBound, count: Int($0.upperBound - $0.lowerBound))
    }
  }

  // MARK: Writing

  /// Appends lines, durably.
  ///
  /// - Parameter lines: JSON objects, each with a line end.
  func append(_ lines: [UInt8], now: Int64) throws {
    let isNew = try fileSystem.status(of: path) == nil
    let file = try fileSystem.open(path, .createOrAppend)
    _ = try file.lock(.exclusive, waiting: true)
    defer { try? file.unlock() }
    let known = try readEnd().value
    var place = try file.length()
    var firstChecked = known?.firstChecked ?? 0
    var text: [UInt8] = []
    if place != known?.byteCount ?? 0 {
      let contents = try check(file, known)
      if contents.tornByteCount > 0 {
        place -= contents.tornByteCount
        try file.truncate(to: place)
      }
      firstChecked = min(contents.firstChecked, place)
    }
    if place > 0, try file.read(at: place - 1, count: 1) != [UInt8(ascii: "\n")] {
      text.append(UInt8(ascii: "\n"))
    }
    if let known, known.byteCount > place {
      // Soon the file is as long as it was: that something has gone must be told for ever.
      let gone = known.byteCount - place
      text += Self.sealed(
        lines: Array(#"{"time":\#(now),"reason":"lost-records","bytes":\#(gone)}"#.utf8),
        from: place + UInt64(text.count))
    }
    text += Self.sealed(lines: lines, from: place + UInt64(text.count))
    try file.append(text)
    try file.sync()
    if isNew { try fileSystem.syncDirectory(parentDirectory(of: path)) }
    write(End(firstChecked: firstChecked, byteCount: place + UInt64(text.count)))
  }

  /// Nothing depends on whether it can be written.
  private func write(_ end: End) {
    guard let file = try? fileSystem.open(endPath, .openForPlacing) else { return }
    try? file.write(end.bytes, at: 0)
    try? file.syncData()
  }

  /// Removes the file. The hint goes first: alone it would say that the file has gone.
  func remove() throws {
    if try fileSystem.status(of: endPath) != nil {
      try fileSystem.unlink(endPath)
      try fileSystem.syncDirectory(parentDirectory(of: path))
    }
    if try fileSystem.status(of: path) != nil { try fileSystem.unlink(path) }
  }

  /// Keeps a copy of a damaged file aside and writes the file anew from its whole lines.
  ///
  /// - Returns: the path of the copy; `nil` when nothing is left to be copied.
  func repair(keeping folder: String, now: Int64) throws -> String? {
    let file = try fileSystem.open(path, .createOrAppend)
    _ = try file.lock(.exclusive, waiting: true)
    defer { try? file.unlock() }
    guard let contents = try check(), !contents.damage.isEmpty else { return nil }
    let kept = try contents.byteCount > 0 ? copy(file, to: folder) : nil
    let lines = try bytes(of: contents)
    var text: [UInt8] = []
    for line in lines.split(separator: UInt8(ascii: "\n")) {
      let isChecked = line.suffix(Self.checkByteCount).starts(with: #","check":""#.utf8)
      let body =
        isChecked ? line.dropLast(Self.checkByteCount) + [UInt8(ascii: "}")] : line
      text += Self.sealed(body, at: UInt64(text.count)) + [UInt8(ascii: "\n")]
    }
    text += Self.sealed(
      lines: Array(#"{"time":\#(now),"reason":"lost-records"}"#.utf8), from: UInt64(text.count))
    try file.truncate(to: 0)
    try file.append(text)
    try file.sync()
    write(End(firstChecked: 0, byteCount: UInt64(text.count)))
    return kept
  }

  private func copy(_ file: any RandomAccessFile, to folder: String) throws -> String {
    try fileSystem.makeDirectories(folder)
    let name = path.split(separator: "/").last.map(String.init) ?? "rejected.ndjson"
    let target = "\(folder)/\(name)"
    if try fileSystem.status(of: target) != nil { try fileSystem.unlink(target) }
    let copy = try fileSystem.open(target, .createExclusive)
    try copy.append(try file.read(at: 0, count: Int(file.length())))
    try copy.sync()
    try fileSystem.syncDirectory(folder)
    return target
  }
}

/// The rejected records of a log group, for queries.
package struct RejectedRecordsInput: Sendable {
  /// The file, or what of it is whole.
  package var origin: InputStream.Origin
  /// What was left out, each with its place.
  package var damage: [String]
}

extension LogStore {
  /// Appends lines to the group's file of rejected input, durably.
  ///
  /// - Parameter lines: whole NDJSON lines, each with its line end.
  package func appendRejected(_ lines: [UInt8], group: String) throws {
    try requireWritable()
    try LogName.checkGroup(group)
    if lines.isEmpty { return }
    try rejectedLog(group).append(lines, now: options.clock.now())
  }

  /// The records of a group that were rejected, if there are any.
  ///
  /// - Throws: `StorageError`.
  package func rejectedRecords(group: String) throws -> RejectedRecordsInput? {
    let log = rejectedLog(group)
    guard let contents = try log.check() else { return nil }
    if contents.isWhole { return RejectedRecordsInput(origin: .file(log.path), damage: []) }
    return RejectedRecordsInput(
      origin: .memory(try log.bytes(of: contents), name: log.path), damage: contents.damage)
  }

  func rejectedLog(_ group: String) -> RejectedLog {
    RejectedLog(group: group, names: names, fileSystem: fileSystem)
  }
}
