import CZlib
import CZstd
import Glibc
import TestSupport
import Testing

@testable import LogStorage

/// What the reader takes for one record.
@Suite struct LineReaderTests {
  private struct Read {
    var texts: [String] = []
    var times: [Int64] = []
    var streams: [String] = []
    var tally: LineReader.Tally
    var fault: StorageError?
  }

  private func read(_ bytes: [UInt8], options: LineReader.Options = .init()) throws -> Read {
    let reader = LineReader(
      try InputStream(.memory(bytes, name: "input")), options: options)
    var result = Read(tally: reader.tally)
    var expectedFirst: UInt64 = 0
    do {
      while let block = try reader.next() {
        #expect(block.firstRecord == expectedFirst)
        #expect(block.bytes.count >= block.byteCount + RecordBlock.padding)
        expectedFirst += UInt64(block.records.count)
        for record in block.records {
          let range = Int(record.offset)..<Int(record.offset + record.length)
          result.texts.append(String(decoding: block.bytes[range], as: UTF8.self))
          result.times.append(record.time)
          result.streams.append(block.streams[Int(record.stream)])
        }
      }
    } catch let error as StorageError {
      result.fault = error
    }
    result.tally = reader.tally
    return result
  }

  private func read(_ text: String) throws -> Read { try read(Array(text.utf8)) }

  @Test func `lines are records, empty ones too, carriage returns stay`() throws {
    let result = try read("a\n\nb\r\n\r\n{\"x\":1}\r\nlast")
    #expect(result.texts == ["a", "", "b\r", "\r", "{\"x\":1}\r", "last"])
    #expect(result.tally.emptyLines == 2)
  }

  @Test func `short records are not read far ahead of`() throws {
    let bytes = Array(String(repeating: "a short record\n", count: 2_000_000).utf8)
    var options = LineReader.Options()
    options.recordsPerBlock = 1_000
    let reader = LineReader(
      try InputStream(.memory(bytes, name: "input")), options: options)
    var cut: UInt64 = 0
    while let block = try reader.next() {
      cut += UInt64(block.byteCount)
      #expect(reader.bytesConsumed <= cut + (4 << 20), "bytes read and not yet cut")
    }
    #expect(reader.bytesConsumed == UInt64(bytes.count))
  }

  /// Reads an input that comes in pieces, as from a shipper that pauses, without waiting long.
  private func readSlowly(_ pieces: [String]) throws -> [String] {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let writing = ends[1]
    let sender = try ServiceThread {
      for piece in pieces {
        let bytes = Array(piece.utf8)
        _ = bytes.withUnsafeBytes { write(writing, $0.baseAddress, $0.count) }
        usleep(15_000)
      }
      close(writing)
    }
    defer {
      sender.join()
      close(ends[0])
    }
    var options = LineReader.Options()
    options.lingerMilliseconds = 1
    let reader = LineReader(
      try InputStream(.file("/dev/fd/\(ends[0])")), options: options)
    var texts: [String] = []
    while let block = try reader.next() {
      for record in block.records {
        let range = Int(record.offset)..<Int(record.offset + record.length)
        texts.append(String(decoding: block.bytes[range], as: UTF8.self))
      }
    }
    return texts
  }

  @Test(arguments: [
    ["{\"a\":", "1}{\"b\":2}\n{\"c\"", ":3}\n"],
    ["{\n", "\"a\":1\n}{\"b\"", ":2}\n"],
    ["{\"Rec", "ords\":[{\"a\":1},", "{\"b\":2}]}\n"],
    ["[{\"a\"", ":1},{\"b\":", "2}]\n"],
    ["[", "{\"a\":1},", "{\"b\":2}]\n"],
    ["fi", "rst\nse", "cond\n"],
    ["{ not", " JSON\nnext", " line\n{\"a\":1}\n"],
    ["[info", "] first\n[", "info] second\n"],
    ["{\"a\":1}\n{\"b\":2", "}\n", "last"],
  ])
  func `what an input is does not depend on how fast it comes`(_ pieces: [String]) throws {
    #expect(try readSlowly(pieces) == read(pieces.joined()).texts)
  }

  @Test func `a byte order mark is skipped and said`() throws {
    let result = try read([0xEF, 0xBB, 0xBF] + Array("{\"a\":1}\n".utf8))
    #expect(result.texts == ["{\"a\":1}"])
    #expect(result.tally.skippedByteOrderMark)
  }

  @Test func `pretty-printed objects are one record each`() throws {
    let result = try read("{\n  \"a\": \"}\",\n  \"b\": {\"c\": 1}\n}\n\n{\n  \"a\": 2\n}\n")
    #expect(result.texts == ["{\n  \"a\": \"}\",\n  \"b\": {\"c\": 1}\n}", "{\n  \"a\": 2\n}"])
  }

  @Test func `several objects on a line are one record each`() throws {
    #expect(try read(#"{"a":1}{"a":2} {"a":3}"#).texts == [#"{"a":1}"#, #"{"a":2}"#, #"{"a":3}"#])
  }

  @Test func `a brace that never closes costs nothing but its own line`() throws {
    let result = try read("{\"a\":1}\n{\"a\": [\n{\"b\":2}\n")
    #expect(result.texts == ["{\"a\":1}", "{\"a\": [", "{\"b\":2}"])
    let first = try read("{ broken\nnext\n")
    #expect(first.texts == ["{ broken", "next"])
  }

  @Test func `elements of Records are records, byte for byte`() throws {
    let result = try read(#"{"Records": [ {"a" : 1}, {"b":[2,"]"]} ], "more": {"x":"]}"}}"# + "\n")
    #expect(result.texts == [#"{"a" : 1}"#, #"{"b":[2,"]"]}"#])
  }

  @Test func `wrappers span lines, follow each other and mix with lines`() throws {
    let spread = "{\n \"Records\": [\n  {\"a\":1},\n  {\n   \"a\":2}\n ]\n}\n"
    #expect(try read(spread).texts == ["{\"a\":1}", "{\n   \"a\":2}"])
    let mixed = "plain\n{\"Records\":[{\"a\":1}]}\n{\"Records\":[]}\n{\"a\":2}\n"
    #expect(try read(mixed).texts == ["plain", "{\"a\":1}", "{\"a\":2}"])
    #expect(try read(mixed).tally.emptyLines == 0)
  }

  @Test func `log events bring their time, stream and unescaped message`() throws {
    let result = try read(
      #"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s/1","#
        + #""logEvents":[{"id":"x","timestamp":1700000000123,"message":"a\tb \"c\"\n"},"#
        + #"{"id":"y","timestamp":1700000000124,"message":"{\"k\":\"\u00e9\"}"}]}"#)
    #expect(result.texts == ["a\tb \"c\"\n", "{\"k\":\"é\"}"])
    #expect(result.times == [1_700_000_000_123, 1_700_000_000_124])
    #expect(result.streams == ["s/1", "s/1"])
  }

  @Test func `an object that only looks like a wrapper stays whole`() throws {
    for line in [
      #"{"Records":3}"#, #"{"Records":[1,2]}"#, #"{"logGroup":"g","message":"m"}"#,
      #"{"owner":"o","x":[{"a":1}]}"#,
    ] {
      #expect(try read(line + "\n" + line + "\n").texts == [line, line])
    }
  }

  @Test func `a first line cut inside a string does not swallow the next`() throws {
    let lines = ["{\"a\":\"cut", "{\"b\":\"x\"}", "{\"c\":\"y\"}"]
    #expect(try read(lines.joined(separator: "\n")).texts == lines)
    let later = ["{\"a\":1}{\"a\":2}", "{\"b\":\"cut", "{\"c\":\"y\"}"]
    #expect(
      try read(later.joined(separator: "\n")).texts == ["{\"a\":1}", "{\"a\":2}"] + later[1...])
  }

  @Test func `objects over several lines among lines of text are one record each`() throws {
    let object = "{\n  \"a\": [\n    1,\n    2\n  ]\n}"
    let result = try read("plain\n\(object)\nplain again\n{ not\n\(object)\n{\nend")
    #expect(result.texts == ["plain", object, "plain again", "{ not", object, "{", "end"])
    var options = LineReader.Options()
    options.blockByteCount = 16
    let cut = try read(Array("plain\n\(object)\nend\n".utf8), options: options)
    #expect(cut.texts == ["plain", object, "end"])
  }

  @Test func `the stream may be named behind the events, other members are counted`() throws {
    let events =
      #"{"logEvents":[{"id":"x","timestamp":1,"message":"m"}],"owner":"1","logStream":"s/2"}"#
    #expect(try read(events).streams == ["s/2"])
    let records = try read(#"{"owner":"o","Records":[{"a":1}],"total":5,"next":null}"#)
    #expect(records.texts == [#"{"a":1}"#])
    #expect(records.tally.wrapperMembers == 2)
  }

  @Test func `many braces that never close take time in proportion`() throws {
    for first in ["{\n\"a\":1}\n", "plain\n"] {
      let text = first + String(repeating: "{ int x;\n{\n", count: 20_000)
      let started = ContinuousClock.now
      #expect(try read(text).texts.count == 40_001)
      #expect(ContinuousClock.now - started < .seconds(20))
    }
  }

  @Test func `UTF-16 is refused with what to do`() throws {
    let fault = try #require(try read([0xFF, 0xFE, 0x61, 0x00, 0x0A, 0x00]).fault)
    #expect(fault.message.contains("iconv -f UTF-16"))
  }

  @Test func `an over-long last line without a newline is counted`() throws {
    var bytes = Array("first\n".utf8)
    bytes += [UInt8](repeating: 0x78, count: 40 << 20)
    let result = try read(bytes)
    #expect(result.texts == ["first"])
    #expect(result.tally.tooLong.map(\.byteCount) == [40 << 20])
  }

  @Test func `a file that is one array gives its elements`() throws {
    #expect(try read("[\n {\"a\":1},\n {\"a\":2}\n]\n").texts == ["{\"a\":1}", "{\"a\":2}"])
    for line in [
      "[Sun] not JSON", "[{x} error] a", "[{\"a\":1", "[{\"a\":01}]", "[{\"a\":1}] took 5, ok",
    ] {
      #expect(try read(line + "\n" + line + "\n").texts == [line, line])
    }
  }

  @Test func `a wrapper cut off in an element keeps what is there`() throws {
    let result = try read("{\"Records\":[{\"a\":1},{\"a\":")
    #expect(result.texts == ["{\"a\":1}", "{\"a\":"])
  }

  @Test func `blocks end at their limits and lose nothing`() throws {
    var options = LineReader.Options()
    options.recordsPerBlock = 7
    options.blockByteCount = 64
    let lines = (0..<1_000).map { "line number \($0)" }
    let text = Array((lines.joined(separator: "\n") + "\n").utf8)
    #expect(try read(text, options: options).texts == lines)
    let objects = (0..<200).map { "{\"n\":\n\($0)}" }
    let joined = Array(objects.joined(separator: "\n").utf8)
    #expect(try read(joined, options: options).texts == objects)
    let wrapped = Array("{\"Records\":[\(objects.joined(separator: ","))]}\n".utf8)
    #expect(try read(wrapped, options: options).texts == objects)
  }

  @Test func `a line far over the limit is passed by and counted`() throws {
    var bytes = Array("first\n".utf8)
    bytes += [UInt8](repeating: 0x78, count: 40 << 20)
    bytes += Array("\nlast\n".utf8)
    let result = try read(bytes)
    #expect(result.texts == ["first", "last"])
    #expect(result.tally.tooLong.map(\.line) == [2])
    #expect(result.tally.tooLong.map(\.byteCount) == [40 << 20])
  }

  // MARK: Compression

  private func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(
      &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: bytes.count + 1_000)
    return input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(output.count)
        #expect(deflate(&stream, Z_FINISH) == Z_STREAM_END)
        return Array(output[..<(output.count - Int(stream.avail_out))])
      }
    }
  }

  private func zstd(_ bytes: [UInt8]) -> [UInt8] {
    let context = ZSTD_createCCtx()
    defer { ZSTD_freeCCtx(context) }
    // Without its checksum zstd cannot tell changed literals; the zstd program writes it too.
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
    let count = ZSTD_compress2(context, &output, output.count, bytes, bytes.count)
    return Array(output[..<count])
  }

  private var manyLines: [String] { (0..<50_000).map { "{\"n\":\($0),\"text\":\"some text\"}" } }

  @Test func `gzip and zstd are known by their first bytes, members follow each other`() throws {
    let lines = manyLines
    let half = Array((lines[..<25_000].joined(separator: "\n") + "\n").utf8)
    let rest = Array((lines[25_000...].joined(separator: "\n") + "\n").utf8)
    #expect(try read(gzip(half) + gzip(rest)).texts == lines)
    #expect(try read(gzip(half + rest) + [0, 0, 0]).texts == lines)
    #expect(try read(zstd(half) + zstd(rest)).texts == lines)
  }

  @Test func `truncated archives give what came before and say where they end`() throws {
    let lines = manyLines
    let text = Array((lines.joined(separator: "\n") + "\n").utf8)
    for packed in [gzip(text), zstd(text)] {
      let result = try read(Array(packed[..<(packed.count / 2)]))
      let fault = try #require(result.fault)
      #expect(fault.code == .invalidInput)
      #expect(fault.message.contains("truncated"))
      #expect(result.texts.count > 100)
      #expect(result.texts.elementsEqual(lines[..<result.texts.count]))
      // The record that was cut is counted, not kept.
      #expect(result.tally.cutOff == 1)
    }
  }

  @Test func `damaged archives are named with a place`() throws {
    let text = Array((manyLines.joined(separator: "\n") + "\n").utf8)
    for var packed in [gzip(text), zstd(text)] {
      for i in packed.count / 2..<packed.count / 2 + 40 { packed[i] = 0xFF }
      let fault = try #require(try read(packed).fault)
      #expect(fault.code == .invalidInput)
      #expect(fault.message.contains("input: damaged"))
    }
  }

  @Test func `a directory and a missing file are refused with what to do`() {
    #expect(throws: StorageError.self) { try InputStream(.file("/")) }
    #expect(throws: StorageError.self) { try InputStream(.file("/nowhere/at/all.log")) }
  }
}
