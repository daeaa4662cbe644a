import CPCRE2
import Columnar
import QueryLanguage
import Synchronization

/// Why a pattern is no regular expression.
struct RegexFailure: Error, Sendable, Hashable {
  /// The engine's reason, in its words.
  let message: String
  /// Where in the pattern, in UTF-8 bytes.
  let offset: Int
}

/// A regular expression compiled to machine code by PCRE2.
///
/// The flavour is the one of the language reference: unanchored search, case-sensitive unless `(?i)`; `.`
/// stops at a newline without `(?s)`; `^` and `$` are the ends of the text without `(?m)`; `\d \w \s` are ASCII. Lookaround and
/// backreferences, which backtrack, are accepted, so every match has a step limit: a text that reaches it
/// counts as no match and is counted in ``limitedCount``.
///
/// Unchecked: the compiled code is immutable after `init`; what a match writes to lives in a ``Matcher`` that one
/// thread at a time takes from the pool.
final class CompiledRegex: @unchecked Sendable {
  /// Steps of one match before it is given up: some 0.1 ms of backtracking.
  private static let stepLimit: UInt32 = 100_000

  let pattern: String
  /// Where the query has it.
  let place: SourceRange
  /// Name of each capturing group from group 1 on; `nil` for groups without one. A leading `@` that the
  /// pattern gave is part of the name.
  let captureNames: [String?]
  /// Literals of which every text that matches holds one; `nil` if the pattern demands none.
  let requiredLiterals: [ByteSearch]?
  private let code: OpaquePointer
  private let matchers = Mutex<[Matcher]>([])
  private let limited = Atomic<Int>(0)

  /// - Throws: ``RegexFailure`` with the place in the pattern.
  init(_ pattern: String, at place: SourceRange = .none) throws(RegexFailure) {
    self.pattern = pattern
    self.place = place
    let plain = PlainPattern(pattern)
    requiredLiterals = RequiredLiterals.searches(of: plain.bytes)
    let context = pcre2_compile_context_create_8(nil)
    defer { pcre2_compile_context_free_8(context) }
    pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_LF))
    pcre2_set_parens_nest_limit_8(context, 200)
    var number: Int32 = 0
    var offset = 0
    let options =
      PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C
    let compiled = plain.bytes.withUnsafeBufferPointer {
      pcre2_compile_8($0.baseAddress, $0.count, options, &number, &offset, context)
    }
    guard let compiled else {
      throw RegexFailure(message: Self.message(number), offset: plain.sourceOffset(offset))
    }
    code = compiled
    // Without machine code the interpreter serves, slower and with the same answers.
    pcre2_jit_compile_8(code, UInt32(PCRE2_JIT_COMPLETE))
    captureNames = Self.names(code, atNames: plain.atNames)
  }

  deinit { pcre2_code_free_8(code) }

  /// Texts that reached the step limit so far, and so count as no match.
  var limitedCount: Int { limited.load(ordering: .relaxed) }

  private static func message(_ number: Int32) -> String {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { buffer in
      let count = pcre2_get_error_message_8(number, buffer.baseAddress, buffer.count)
      return count < 0
        ? "error \(number)" : String(decoding: buffer[..<Int(count)], as: UTF8.self)
    }
  }

  private static func names(_ code: OpaquePointer, atNames: Set<String>) -> [String?] {
    var groupCount: UInt32 = 0
    var nameCount: UInt32 = 0
    var entrySize: UInt32 = 0
    var table: UnsafePointer<UInt8>?
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &groupCount)
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &nameCount)
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &entrySize)
    pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
    var names = [String?](repeating: nil, count: Int(groupCount))
    for i in 0..<Int(nameCount) {
      // An entry is the group's number in two bytes, then the name and a zero.
      guard let entry = table.map({ $0 + i * Int(entrySize) }) else { break }
      let group = Int(entry[0]) << 8 | Int(entry[1])
      let name = String(
        decoding: UnsafeBufferPointer(start: entry + 2, count: Int(entrySize) - 2)
          .prefix { $0 != 0 }, as: UTF8.self)
      names[group - 1] = atNames.contains(name) ? "@" + name : name
    }
    return names
  }

  // MARK: Matching

  /// Whether a text has a match.
  func matches(_ text: String) -> Bool {
    var text = text
    return withMatcher { matcher in
      text.withUTF8 { matcher.match(UnsafeRawBufferPointer($0), from: 0) }
    }
  }

  /// The rows whose texts have a match; a missing row has none.
  func rows(in texts: StringVector) -> Bitmap {
    var found = Bitmap(repeating: false, count: texts.count)
    var stop = StopCounter(every: 16)
    withMatcher { matcher in
      texts.bytes.withUnsafeBytes { bytes in
        for row in 0..<texts.count where texts.validity?[row] ?? true {
          if stop.isPassed() { break }
          let text = UnsafeRawBufferPointer(rebasing: bytes[texts.range(row)])
          if matcher.match(text, from: 0) { found[row] = true }
        }
      }
    }
    return found
  }

  /// The first match in a row's text: where each group lies in the vector's bytes, group 0 being the whole
  /// match; `nil` for groups that took no part.
  func firstMatch(in texts: StringVector, row: Int) -> [Range<Int>?]? {
    withMatcher { matcher in
      texts.bytes.withUnsafeBytes { bytes in
        let range = texts.range(row)
        let text = UnsafeRawBufferPointer(rebasing: bytes[range])
        return matcher.match(text, from: 0) ? matcher.groups(offset: range.lowerBound) : nil
      }
    }
  }

  /// Calls `body` for each row with its first match, as ``firstMatch(in:row:)`` gives it.
  func forEachFirstMatch(in texts: StringVector, _ body: (Int, [Range<Int>?]?) -> Void) {
    var stop = StopCounter(every: 16)
    var isStopped = false
    withMatcher { matcher in
      texts.bytes.withUnsafeBytes { bytes in
        for row in 0..<texts.count {
          isStopped = isStopped || stop.isPassed()
          guard texts.validity?[row] ?? true, !isStopped else {
            body(row, nil)
            continue
          }
          let range = texts.range(row)
          let text = UnsafeRawBufferPointer(rebasing: bytes[range])
          body(row, matcher.match(text, from: 0) ? matcher.groups(offset: range.lowerBound) : nil)
        }
      }
    }
  }

  /// All matches in a row's text that do not overlap, as ``firstMatch(in:row:)`` gives the first.
  func allMatches(in texts: StringVector, row: Int) -> [[Range<Int>?]] {
    withMatcher { matcher in
      texts.bytes.withUnsafeBytes { bytes in
        let range = texts.range(row)
        return matcher.all(
          in: UnsafeRawBufferPointer(rebasing: bytes[range]), offset: range.lowerBound) ?? []
      }
    }
  }

  /// All matches in a text that do not overlap, as ranges of its bytes; `nil` if the search is given up.
  func allMatches(in text: [UInt8]) -> [[Range<Int>?]]? {
    withMatcher { matcher in
      text.withUnsafeBytes { matcher.all(in: $0, offset: 0) }
    }
  }

  /// Lends a matcher to the body; one is made when all are lent.
  private func withMatcher<R>(_ body: (Matcher) -> R) -> R {
    let matcher = matchers.withLock { $0.popLast() } ?? Matcher(code)
    defer {
      if matcher.limitedCount > 0 {
        limited.add(matcher.limitedCount, ordering: .relaxed)
        matcher.limitedCount = 0
      }
      matchers.withLock { $0.append(matcher) }
    }
    return body(matcher)
  }

  /// What one match at a time writes to.
  ///
  /// Unchecked: in the pool, or in the hands of one thread; the pool's lock orders the hand-over.
  private final class Matcher: @unchecked Sendable {
    private let code: OpaquePointer
    private let data: OpaquePointer
    private let context: OpaquePointer
    private let stack: OpaquePointer?
    /// A byte to point at where there is no text: an empty one has no address, and PCRE2 wants one.
    private let emptyText = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
    var limitedCount = 0

    init(_ code: OpaquePointer) {
      guard let data = pcre2_match_data_create_from_pattern_8(code, nil),
        let context = pcre2_match_context_create_8(nil)
      else { preconditionFailure("out of memory for a regular expression") }
      emptyText.initialize(to: 0)
      self.code = code
      self.data = data
      self.context = context
      pcre2_set_match_limit_8(context, CompiledRegex.stepLimit)
      stack = pcre2_jit_stack_create_8(32 << 10, 1 << 20, nil)
      if let stack { pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack)) }
    }

    deinit {
      pcre2_match_data_free_8(data)
      pcre2_match_context_free_8(context)
      if let stack { pcre2_jit_stack_free_8(stack) }
      emptyText.deallocate()
    }

    func match(_ text: UnsafeRawBufferPointer, from start: Int) -> Bool {
      let base = text.baseAddress ?? UnsafeRawPointer(emptyText)
      let status = pcre2_match_8(
        code, base.assumingMemoryBound(to: UInt8.self), text.count, start, 0, data, context)
      if status < PCRE2_ERROR_PARTIAL { limitedCount += 1 }
      return status >= 0
    }

    func groups(offset: Int) -> [Range<Int>?] {
      let count = Int(pcre2_get_ovector_count_8(data))
      guard let bounds = pcre2_get_ovector_pointer_8(data) else { return [] }
      return (0..<count).map { group in
        let start = bounds[2 * group]
        let end = bounds[2 * group + 1]
        // PCRE2_UNSET, all bits set, arrives as -1; \K can put the start behind the end.
        guard start >= 0, start <= end else { return nil }
        return offset + start..<offset + end
      }
    }

    /// Every match, as RE2 counts them: an empty one does not stand at the end of the match before
    /// it, so that `x|` finds in `xy` the `x` and the end, and not also what is between them.
    ///
    /// - Returns: `nil` if one of them takes too many steps.
    func all(in text: UnsafeRawBufferPointer, offset: Int) -> [[Range<Int>?]]? {
      let givenUpBefore = limitedCount
      var found: [[Range<Int>?]] = []
      var position = 0
      var lastEnd = -1
      while position <= text.count, match(text, from: position), let range = groups(offset: 0)[0] {
        guard range.isEmpty, range.lowerBound == lastEnd else {
          found.append(groups(offset: offset))
          position = max(position, range.upperBound)
          lastEnd = range.upperBound
          continue
        }
        position += 1
        while position < text.count, text[position] & 0xC0 == 0x80 { position += 1 }
      }
      return limitedCount > givenUpBefore ? nil : found
    }
  }
}

/// A pattern with what PCRE2 does not know rewritten: group names may start with `@` in queries.
private struct PlainPattern {
  private(set) var bytes: [UInt8] = []
  /// Names, without it, that were written with an `@`.
  private(set) var atNames: Set<String> = []
  /// Positions in `bytes` before which an `@` was taken out.
  private var removals: [Int] = []

  init(_ pattern: String) {
    let source = Array(pattern.utf8)
    var inClass = false
    var i = 0
    while i < source.count {
      let byte = source[i]
      if byte == UInt8(ascii: "\\"), i + 1 < source.count {
        bytes += source[i...i + 1]
        i += 2
        continue
      }
      if byte == UInt8(ascii: "[") { inClass = true }
      if byte == UInt8(ascii: "]") { inClass = false }
      bytes.append(byte)
      i += 1
      guard byte == UInt8(ascii: "("), !inClass else { continue }
      for opening in ["?<", "?P<"] where source[i...].starts(with: Array((opening + "@").utf8)) {
        bytes += Array(opening.utf8)
        removals.append(bytes.count)
        i += opening.utf8.count + 1
        atNames.insert(
          String(decoding: source[i...].prefix { $0 != UInt8(ascii: ">") }, as: UTF8.self))
      }
    }
  }

  /// The place in the pattern as written of a place in `bytes`.
  func sourceOffset(_ offset: Int) -> Int { offset + removals.filter { $0 <= offset }.count }
}
