import Columnar
import Glibc

/// Cuts an input into records, a block at a time.
///
/// What a record is depends on what stands at its place in the input:
///
/// - a line, in NDJSON and text files: its bytes without the newline (a carriage return stays);
/// - a whole object, where objects span lines or share one (the first object of the input decides);
/// - an element of a wrapper (`Wrapper`), wherever a wrapper begins.
///
/// NDJSON and text take the fast path: one search for newlines and a look at each line's first bytes. The reader
/// never judges JSON: an object that turns out to be broken becomes a text event, not an error. Nothing is
/// dropped in silence: over-long records are counted in `tally`. An empty line is a record without bytes, so that
/// what goes in line by line comes out line by line.
///
/// One owner; the workers of an ingestion share it behind a lock.
package final class LineReader {
  package struct Options: Sendable {
    /// Stream of records that name none.
    package var stream = "default"
    /// Bytes of a block's records, about.
    package var blockByteCount = StorageLimits.rawBytesPerRowGroup
    package var recordsPerBlock = StorageLimits.rowsPerRowGroup
    /// Longest wait for more input once there is a record, ms; `nil` waits for full blocks.
    package var lingerMilliseconds: Int32?

    package init() {}
  }

  /// What the reader left out, and why.
  package struct Tally: Sendable {
    package var emptyLines: UInt64 = 0
    /// Records over the size limit: where they began (line numbers from 1) and how long they were.
    package var tooLong: [(line: UInt64, byteCount: UInt64)] = []
    /// The last record of a damaged input, which ends in the middle and is not kept.
    package var cutOff: UInt64 = 0
    /// Members of wrappers beside their events.
    package var wrapperMembers: UInt64 = 0
    /// A byte order mark at the start was skipped.
    package var skippedByteOrderMark = false
  }

  private enum Mode {
    case undecided
    /// One record a line.
    case lines
    /// One record an object; what is no object is taken by lines.
    case objects
    /// Within the array of a wrapper.
    case elements(Wrapper)
    /// Behind the array of a wrapper, up to the end of its object.
    case wrapperTail(depth: Int, resume: Resume)
  }

  /// What follows a wrapper.
  private enum Resume { case lines, objects }

  package private(set) var tally = Tally()
  private let input: InputStream
  private let options: Options
  private var mode = Mode.undecided
  private var resume = Resume.lines
  /// Bytes read and not yet cut: the end of the last block's buffer.
  private var rest: [UInt8] = []
  private var atEnd = false
  /// `rest` holds no whole record: only more input helps.
  private var needsMore = false
  /// An error of the input, thrown once the records before it are out.
  private var fault: (any Error)?
  private var nextRecord: UInt64 = 0
  /// What an input that is not waited for is read into: as much as it brings. Memory comes zeroed, and
  /// megabytes of it for each few lines would cost more than the lines.
  private var lingerByteCount = LineReader.smallestLinger
  private static let smallestLinger = 1 << 18
  private var line: UInt64 = 1
  private var bytesPerRecord = 512
  /// Braces that turned out never to close. After some of them the input is no JSON over several lines, and
  /// looking for more ends would take time that grows with the square of the input.
  private var openBraces = 0
  private static let openBraceLimit = 32
  private var streams: [String]
  private var streamOf: [String: UInt32]
  /// Bytes of an over-long record skipped so far; 0 when none is being skipped.
  private var skipped: UInt64 = 0

  package init(_ input: InputStream, options: Options = Options()) {
    self.input = input
    self.options = options
    streams = [options.stream]
    streamOf = [options.stream: 0]
  }

  /// Stored bytes taken from the input so far, and how many there are when that is known.
  package var bytesConsumed: UInt64 { input.bytesConsumed }
  package var totalByteCount: UInt64? { input.totalByteCount }
  package var name: String { input.name }

  /// The next block, or `nil` at the end of the input.
  ///
  /// - Throws: `StorageError` (`invalidInput`, `inputOutput`) after the records before the fault were returned.
  package func next() throws -> RecordBlock? {
    while true {
      let buffer = fill()
      if buffer.isEmpty, atEnd {
        if skipped > 0 { finishSkipping(byteCount: 0) }
        if let fault { throw fault }
        return nil
      }
      var cut = BlockCut(bytes: buffer, extra: [])
      let used = buffer.withUnsafeBufferPointer {
        take(from: $0.baseAddress, count: buffer.count, into: &cut)
      }
      rest = Array(buffer[used...])
      let block = block(from: cut)
      needsMore = block == nil
      if let block { return block }
    }
  }

  /// Whether `next` would have something to do within so many milliseconds.
  package func isReady(within milliseconds: Int32) -> Bool {
    if atEnd || !(rest.isEmpty || needsMore) { return true }
    return input.isReady(within: milliseconds)
  }

  private func block(from cut: BlockCut) -> RecordBlock? {
    guard !cut.records.isEmpty else { return nil }
    var bytes = cut.bytes
    bytes.append(contentsOf: cut.extra)
    let byteCount = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: RecordBlock.padding))
    bytesPerRecord = max(16, byteCount / cut.records.count)
    defer { nextRecord += UInt64(cut.records.count) }
    return RecordBlock(
      bytes: bytes, byteCount: byteCount, records: cut.records, streams: streams,
      firstRecord: nextRecord)
  }

  // MARK: Reading

  /// The rest of the last buffer followed by new bytes, up to about a block.
  private func fill() -> [UInt8] {
    // Short records fill a block by their number long before they fill it by bytes.
    let wanted = min(
      options.blockByteCount, max(1 << 20, options.recordsPerBlock * bytesPerRecord * 9 / 8))
    let old = rest
    rest = []
    let enough = options.lingerMilliseconds == nil ? wanted : min(wanted, lingerByteCount)
    // Only a record that is longer than all that was read needs more than a block.
    let target = needsMore ? max(enough, old.count * 2) : enough
    if atEnd || old.count >= target { return old }
    let mayLinger = options.lingerMilliseconds
    let buffer = [UInt8](unsafeUninitializedCapacity: target + RecordBlock.padding) { raw, used in
      old.withUnsafeBytes { UnsafeMutableRawBufferPointer(raw).copyMemory(from: $0) }
      used = old.count
      let started = ContinuousClock.now
      while used < target {
        // An unfinished record is no reason to stop waiting.
        if let mayLinger, used > (needsMore ? old.count : 0) {
          let left = Int64(mayLinger) - (ContinuousClock.now - started).milliseconds
          if !input.isReady(within: Int32(clamping: max(0, left))) || left <= 0 { break }
        }
        do {
          let count = try input.read(
            into: UnsafeMutableRawBufferPointer(
              rebasing: UnsafeMutableRawBufferPointer(raw)[used..<target]))
          if count == 0 { atEnd = true }
          used += count
        } catch {
          fault = error
          atEnd = true
        }
        if atEnd { break }
      }
    }
    if buffer.count >= target {
      lingerByteCount = min(2 * target, options.blockByteCount)
    } else if buffer.count < target / 4 {
      lingerByteCount = max(target / 2, Self.smallestLinger)
    }
    return skipByteOrderMark(buffer)
  }

  private func skipByteOrderMark(_ buffer: [UInt8]) -> [UInt8] {
    guard case .undecided = mode else { return buffer }
    if buffer.starts(with: [0xFF, 0xFE]) || buffer.starts(with: [0xFE, 0xFF]) {
      fault = StorageError(
        .invalidInput,
        "\(input.name): is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 \(input.name)")
      atEnd = true
      return []
    }
    guard buffer.starts(with: [0xEF, 0xBB, 0xBF]) else { return buffer }
    tally.skippedByteOrderMark = true
    return Array(buffer[3...])
  }

  // MARK: Cutting

  /// Records found in a buffer; `extra` holds texts that do not stand in it as they are.
  private struct BlockCut {
    var bytes: [UInt8]
    var extra: [UInt8]
    var records: [RecordReference] = []
  }

  /// Cuts as many records as the buffer holds and a block may have; returns the bytes used.
  private func take(
    from base: UnsafePointer<UInt8>?, count: Int, into cut: inout BlockCut
  ) -> Int {
    guard let base else { return 0 }
    var position = 0
    while position < count, cut.records.count < options.recordsPerBlock {
      let next: Int?
      switch mode {
      case .undecided:
        guard decide(base, count) else { return position }
        continue
      case .lines: next = takeLines(base, position, count, &cut)
      case .objects: next = takeObject(base, position, count, &cut)
      case .elements(let wrapper): next = takeElement(wrapper, base, position, count, &cut)
      case .wrapperTail(let depth, let resume):
        next = skipWrapperTail(depth, resume, base, position, count)
      }
      guard let next else { break }
      position = next
    }
    return position
  }

  /// Lines, or objects? The first object tells: does it end where its line ends? `false` when too
  /// little of it is there: what the input is must not depend on how fast it comes.
  private func decide(_ base: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    let start = JSONExtent.skipBlanks(base, from: 0, limit: count)
    if isCutOff(base, start, count) { return false }
    mode = .lines
    if start < count { chooseMode(base, start, count) }
    return true
  }

  /// Whether the buffer ends within the first line, or within an object that goes on behind it.
  private func isCutOff(_ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Bool {
    guard !atEnd, start < count, count < Self.gatheredByteCount,
      base[start] == UInt8(ascii: "{") || base[start] == UInt8(ascii: "["),
      Wrapper.recognise(base, from: start, limit: count) == nil
    else { return false }
    guard let line = lineEnd(base, start, count) else { return true }
    return endsOpen(base, start, line)
      && JSONExtent.extent(of: base, from: start, limit: count) == .incomplete
  }

  /// Whether a line breaks off at a bracket, comma or colon, as those of objects over several lines
  /// do and NDJSON, which ends its lines with a brace, does not.
  private func endsOpen(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
    var last = end
    while last > start, JSONExtent.isBlank(base[last - 1]) { last -= 1 }
    switch base[max(start, last - 1)] {
    case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ","), UInt8(ascii: ":"): return true
    default: return false
    }
  }

  private func chooseMode(_ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int) {
    if base[start] == UInt8(ascii: "[") {
      let first = JSONExtent.skipBlanks(base, from: start + 1, limit: count)
      // A line of text may begin with such brackets too: the first element must be an object in earnest.
      if first < count, base[first] == UInt8(ascii: "{"),
        let end = JSONExtent.end(of: base, from: first, limit: count),
        JSONValue.parse(UnsafeBufferPointer(start: base + first, count: end - first)) != nil,
        isAlone(base, start, count)
      {
        resume = .objects
        mode = .elements(Wrapper(kind: .array, stream: nil, firstElement: start + 1))
      }
      return
    }
    guard base[start] == UInt8(ascii: "{") else { return }
    if Wrapper.recognise(base, from: start, limit: count) != nil {
      mode = .objects
    } else if let end = JSONExtent.end(of: base, from: start, limit: count) {
      let line = lineEnd(base, start, count) ?? count
      let next = JSONExtent.skipBlanks(base, from: end, limit: count)
      if end > line || next < line { mode = .objects }
    }
  }

  /// Whether nothing but blanks follows the array on its last line; one that goes on past the buffer is
  /// taken for an array.
  private func isAlone(_ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Bool {
    switch JSONExtent.extent(of: base, from: start, limit: count) {
    case .broken: return false
    case .incomplete: return true
    case .end(let end):
      let next = JSONExtent.skipBlanks(base, from: end, limit: count)
      return next >= (lineEnd(base, end, count) ?? count)
    }
  }

  private func lineEnd(_ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int? {
    guard let found = memchr(base + start, 0x0A, count - start) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base)
  }

  /// Whole lines from `start` on; stops before a wrapper. `nil` when not even one line is complete.
  private func takeLines(
    _ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int, _ cut: inout BlockCut
  ) -> Int? {
    var position = start
    while position < count, cut.records.count < options.recordsPerBlock {
      guard let end = lineEnd(base, position, count) ?? (atEnd ? count : nil) else {
        return overflow(position, count) ?? (position > start ? position : nil)
      }
      if atEnd, fault != nil, lineEnd(base, position, count) == nil {
        tally.cutOff += 1
        skipped = 0
        return count
      }
      if skipped > 0 {
        finishSkipping(byteCount: end - position)
      } else if end - position > StorageLimits.bytesPerEvent {
        reject(byteCount: end - position)
      } else if base[position] == UInt8(ascii: "{"),
        Wrapper.recognise(base, from: position, limit: count) != nil
      {
        return enterWrapper(base, position, count, resume: .lines)
      } else if let gathered = gather(base, position, end, count) {
        switch gathered {
        case .needsMore: return position > start ? position : nil
        case .object(let objectEnd):
          cut.records.append(
            RecordReference(offset: UInt32(position), length: UInt32(objectEnd - position)))
          countLines(base, position, objectEnd)
          position = objectEnd
          if position < count, base[position] == 0x0A {
            position += 1
            line += 1
          }
          continue
        }
      } else {
        addLine(position, end, base, &cut)
      }
      line += 1
      position = min(end + 1, count)
    }
    return position
  }

  private enum Gathered {
    case object(end: Int)
    case needsMore
  }

  /// An object that begins on a line among lines and goes on over the next: pretty-printed JSON in a log of
  /// text. `nil` when the line is complete or what follows is not the rest of a valid object.
  private func gather(
    _ base: UnsafePointer<UInt8>, _ start: Int, _ lineEnd: Int, _ count: Int
  ) -> Gathered? {
    guard base[start] == UInt8(ascii: "{"), openBraces < Self.openBraceLimit else { return nil }
    guard endsOpen(base, start, lineEnd) else { return nil }
    let limit = min(count, start + Self.gatheredByteCount)
    switch JSONExtent.extent(of: base, from: start, limit: limit) {
    case .broken: return nil
    case .incomplete:
      guard atEnd || limit < count else { return .needsMore }
      openBraces += 1
      return nil
    case .end(let end):
      let tail = end < count && base[end] == 0x0D ? end + 1 : end
      let isAlone = end > lineEnd && (tail == count || base[tail] == 0x0A)
      let text = UnsafeBufferPointer(start: base + start, count: end - start)
      return isAlone && JSONValue.parse(text) != nil ? .object(end: tail) : nil
    }
  }

  /// How far an object among lines may reach.
  private static let gatheredByteCount = 1 << 20

  private func addLine(
    _ start: Int, _ end: Int, _ base: UnsafePointer<UInt8>, _ cut: inout BlockCut
  ) {
    if end == start || (end == start + 1 && base[start] == 0x0D) { tally.emptyLines += 1 }
    cut.records.append(RecordReference(offset: UInt32(start), length: UInt32(end - start)))
  }

  /// One object, or a line that is none.
  private func takeObject(
    _ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int, _ cut: inout BlockCut
  ) -> Int? {
    let first = JSONExtent.skipBlanks(base, from: start, limit: count)
    countLines(base, start, first)
    guard first < count else { return count }
    guard base[first] == UInt8(ascii: "{") else { return takeOneLine(base, first, count, &cut) }
    if Wrapper.recognise(base, from: first, limit: count) != nil {
      return enterWrapper(base, first, count, resume: .objects)
    }
    let extent = JSONExtent.extent(of: base, from: first, limit: count)
    guard case .end(let end) = extent else {
      // Not complete: wait for more, but not for ever; a brace that never closes makes its line a text.
      if extent == .incomplete, !atEnd, count - first < StorageLimits.bytesPerEvent {
        return first > start ? first : nil
      }
      openBraces += 1
      if openBraces >= Self.openBraceLimit { mode = .lines }
      return takeOneLine(base, first, count, &cut)
    }
    if end - first > StorageLimits.bytesPerEvent {
      reject(byteCount: end - first)
    } else {
      cut.records.append(RecordReference(offset: UInt32(first), length: UInt32(end - first)))
    }
    countLines(base, first, end)
    return end
  }

  private func takeOneLine(
    _ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int, _ cut: inout BlockCut
  ) -> Int? {
    guard let end = lineEnd(base, start, count) ?? (atEnd ? count : nil) else {
      return overflow(start, count)
    }
    if atEnd, fault != nil, lineEnd(base, start, count) == nil {
      tally.cutOff += 1
      skipped = 0
      return count
    }
    if skipped > 0 {
      finishSkipping(byteCount: end - start)
    } else if end - start > StorageLimits.bytesPerEvent {
      reject(byteCount: end - start)
    } else {
      addLine(start, end, base, &cut)
    }
    line += 1
    return min(end + 1, count)
  }

  private func countLines(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) {
    for i in start..<end where base[i] == 0x0A { line += 1 }
  }

  // MARK: Wrappers

  private func enterWrapper(
    _ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int, resume: Resume
  ) -> Int {
    guard let wrapper = Wrapper.recognise(base, from: start, limit: count) else { return start }
    self.resume = resume
    mode = .elements(wrapper)
    tally.wrapperMembers += UInt64(wrapper.memberCount)
    countLines(base, start, wrapper.firstElement)
    return wrapper.firstElement
  }

  private func takeElement(
    _ wrapper: Wrapper, _ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int,
    _ cut: inout BlockCut
  ) -> Int? {
    var first = start
    // The bracket of a bare array has not been passed yet.
    if case .array = wrapper.kind, start < wrapper.firstElement { first = wrapper.firstElement }
    while first < count, JSONExtent.isBlank(base[first]) || base[first] == UInt8(ascii: ",") {
      first += 1
    }
    countLines(base, start, first)
    guard first < count else {
      return atEnd ? endInsideWrapper(count) : (first > start ? first : nil)
    }
    if base[first] == UInt8(ascii: "]") {
      if case .array = wrapper.kind {
        mode = .objects
      } else {
        mode = .wrapperTail(depth: 1, resume: resume)
      }
      return first + 1
    }
    guard let end = JSONExtent.end(of: base, from: first, limit: count) else {
      if !atEnd, count - first < StorageLimits.bytesPerEvent { return first > start ? first : nil }
      // Cut off or never closed: what is there is kept as lines of text.
      mode = .lines
      return first
    }
    addElement(wrapper, base, first, end, &cut)
    countLines(base, first, end)
    return end
  }

  private func endInsideWrapper(_ count: Int) -> Int {
    mode = .lines
    return count
  }

  private func addElement(
    _ wrapper: Wrapper, _ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int,
    _ cut: inout BlockCut
  ) {
    guard end - start <= StorageLimits.bytesPerEvent else {
      reject(byteCount: end - start)
      return
    }
    if case .logEvents = wrapper.kind, base[start] == UInt8(ascii: "{"),
      let (time, message) = Wrapper.logEvent(base, from: start, limit: end)
    {
      let offset = cut.bytes.count + cut.extra.count
      cut.extra.append(contentsOf: message)
      cut.records.append(
        RecordReference(
          offset: UInt32(offset), length: UInt32(message.count),
          time: time ?? RecordReference.undiscovered, stream: stream(wrapper.stream)))
    } else {
      cut.records.append(
        RecordReference(
          offset: UInt32(start), length: UInt32(end - start), stream: stream(wrapper.stream)))
    }
  }

  private func stream(_ name: String?) -> UInt32 {
    guard let name, !name.isEmpty else { return 0 }
    if let known = streamOf[name] { return known }
    streams.append(name)
    streamOf[name] = UInt32(streams.count - 1)
    return UInt32(streams.count - 1)
  }

  /// Skips the members behind the array, which carry nothing.
  private func skipWrapperTail(
    _ depth: Int, _ resume: Resume, _ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int
  ) -> Int? {
    var depth = depth
    var i = start
    while i < count, depth > 0 {
      switch base[i] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""):
        guard let end = JSONExtent.stringEnd(base, from: i, limit: count) else {
          mode = .wrapperTail(depth: depth, resume: resume)
          return atEnd ? count : (i > start ? i : nil)
        }
        i = end
        continue
      case 0x0A: line += 1
      default: break
      }
      i += 1
    }
    if depth > 0 {
      mode = .wrapperTail(depth: depth, resume: resume)
      return count
    }
    mode = resume == .lines ? .lines : .objects
    if resume == .lines {
      // The newline that ends the wrapper's line is not an empty line.
      while i < count, JSONExtent.isBlank(base[i]) {
        i += 1
        if base[i - 1] == 0x0A {
          line += 1
          break
        }
      }
    }
    return i
  }

  // MARK: Too long

  /// A record that does not end in a buffer over the limit: its bytes are passed by without keeping them.
  private func overflow(_ start: Int, _ count: Int) -> Int? {
    guard count - start > StorageLimits.bytesPerEvent || skipped > 0 else { return nil }
    skipped += UInt64(count - start)
    return count
  }

  private func finishSkipping(byteCount: Int) {
    tally.tooLong.append((line, skipped + UInt64(byteCount)))
    skipped = 0
  }

  private func reject(byteCount: Int) {
    tally.tooLong.append((line, UInt64(byteCount)))
  }
}

extension Duration {
  var milliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }
}
