/// Lines for the group's file of rejected input.
struct RejectedRecords {
  /// Records over the size limit: where they began and how long they were.
  let tooLong: ArraySlice<(line: UInt64, byteCount: UInt64)>
  let input: String
  let arrivalTime: Int64

  /// Appends them, durably.
  ///
  /// - Throws: `StorageError`.
  func append(to store: LogStore, logGroup: String) throws {
    guard !tooLong.isEmpty else { return }
    var lines: [UInt8] = []
    for (line, byteCount) in tooLong {
      lines.append(contentsOf: #"{"time":"#.utf8)
      lines.append(contentsOf: String(arrivalTime).utf8)
      lines.append(contentsOf: #","reason":"too-long","input":"#.utf8)
      JSONEscapes.appendQuoted(input, to: &lines)
      lines.append(contentsOf: #","line":\#(line),"bytes":\#(byteCount),"limit":"#.utf8)
      lines.append(contentsOf: String(StorageLimits.bytesPerEvent).utf8)
      lines.append(contentsOf: "}\n".utf8)
    }
    try store.appendRejected(lines, group: logGroup)
  }
}
