import TestSupport
import Testing

@testable import LogStorage

/// Records that could not become events are kept with checksums: what changes or goes is told.
@Suite struct RejectedLogTests {
  private let path = "/store/rejected/api.ndjson"

  private func lines(_ numbers: Range<Int>, padding: Int = 0) -> [UInt8] {
    let input = String(repeating: "x", count: padding)
    return Array(
      numbers.map { #"{"reason":"too-long","input":"\#(input)","line":\#($0)}"# + "\n" }.joined()
        .utf8)
  }

  /// Numbers of the lines that are given back, and what is said to be missing.
  private func read(_ store: LogStore) throws -> (numbers: [Int], damage: [String]) {
    guard let input = try store.rejectedRecords(group: "api") else { return ([], []) }
    let bytes: [UInt8]
    switch input.origin {
    case .file(let path): bytes = try store.fileSystem.contents(of: path)
    case .memory(let memory, _): bytes = memory
    case .standardInput: bytes = []
    }
    let numbers = bytes.split(separator: UInt8(ascii: "\n")).compactMap { line -> Int? in
      let text = String(decoding: line, as: UTF8.self)
      guard let start = text.firstRange(of: #""line":"#) else { return nil }
      return Int(text[start.upperBound...].prefix { $0.isNumber })
    }
    return (numbers, input.damage)
  }

  private func makeDisk() throws -> CrashingFileSystem {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    try store.createGroup("api")
    return disk
  }

  @Test func `rejected lines are appended to the file of their group, with checksums`() throws {
    let disk = CrashingFileSystem()
    let store = try makeStore(on: disk)
    try store.appendRejected(Array("{\"reason\":\"x\"}\n".utf8), group: "/aws/a")
    try store.appendRejected(Array("{\"reason\":\"y\"}\n".utf8), group: "/aws/a")
    let after = disk.restart()
    let text = String(
      decoding: try after.contents(of: "/store/rejected/%2Faws%2Fa.ndjson"), as: UTF8.self)
    #expect(
      text == """
        {"reason":"x","check":"\(check(#"{"reason":"x""#, 0))"}
        {"reason":"y","check":"\(check(#"{"reason":"y""#, 42))"}

        """)
  }

  private func check(_ text: String, _ seed: UInt64) -> String {
    hex(XXH64.hash(Array(text.utf8), seed: seed))
  }

  @Test func `every changed bit and every cut is named, or changes nothing`() throws {
    let disk = try makeDisk()
    try makeStore(on: disk).appendRejected(lines(0..<2), group: "api")
    try makeStore(on: disk).appendRejected(lines(2..<4), group: "api")
    for path in [path, "/store/rejected/api.end"] {
      let bytes = try disk.contents(of: path)
      for change in 0..<bytes.count * 9 {
        var changed = bytes
        let (place, bit) = (change / 9, change % 9)
        if bit == 8 { changed.removeLast(bytes.count - place) } else { changed[place] ^= 1 << bit }
        disk.damage(path) { $0 = changed }
        let store = try makeStore(on: disk)
        let found = try read(store)
        let isSame = found.numbers == [0, 1, 2, 3]
        #expect(isSame || !found.damage.isEmpty, "\(path): bit \(bit) of byte \(place)")
        #expect(found.damage.allSatisfy { $0.contains(self.path) })
        if path == self.path {
          #expect(!found.damage.isEmpty, "bit \(bit) of byte \(place)")
          #expect(try store.verify().problems == found.damage)
        }
      }
      disk.damage(path) { $0 = bytes }
    }
    try disk.unlink(path)
    #expect(try read(makeStore(on: disk)).damage.count == 1)
  }

  @Test func `after damage the file goes on, and the damage stays told until a repair`() throws {
    let disk = try makeDisk()
    let store = try makeStore(on: disk)
    try store.appendRejected(lines(0..<4), group: "api")
    let bytes = try disk.contents(of: path)
    for cut in [1, bytes.count / 2, bytes.count / 2 + 5] {
      disk.damage(path) { $0 = Array(bytes.dropLast(cut)) }
      try store.appendRejected(lines(7..<9), group: "api")
      var found = try read(store)
      #expect(found.numbers.suffix(2) == [7, 8])
      let text = String(decoding: try disk.contents(of: path), as: UTF8.self)
      #expect(text.contains("lost-records"))
      guard !found.damage.isEmpty else { continue }
      #expect(try store.repair(dryRun: true).rejectedFaults == found.damage)
      let report = try store.repair(dryRun: false)
      #expect(report.isNeeded && report.keptFiles == ["/store/damaged/api.ndjson"])
      let kept = found.numbers
      found = try read(store)
      #expect(found.numbers == kept && found.damage.isEmpty)
      #expect(try store.verify().problems == [])
      #expect(try !store.repair(dryRun: true).isNeeded)
    }
  }

  @Test func `a file without checksums is read, and what is appended has them`() throws {
    let disk = try makeDisk()
    let store = try makeStore(on: disk)
    let file = try disk.open(path, .createExclusive)
    try file.append(lines(0..<3))
    #expect(try read(store) == ([0, 1, 2], []))
    try store.appendRejected(lines(3..<5), group: "api")
    #expect(try read(store) == ([0, 1, 2, 3, 4], []))
    var bytes = try disk.contents(of: path)
    bytes[bytes.count - 30] ^= 1
    disk.damage(path) { $0 = bytes }
    let found = try read(store)
    #expect(found.numbers == [0, 1, 2, 3] && found.damage.count == 1)
  }

  @Test func `a power cut loses no line that was said to be safe, and is no damage`() throws {
    for crashAt in 1...20 {
      for torn in 0..<6 {
        let disk = try makeDisk()
        try makeStore(on: disk).appendRejected(lines(0..<3, padding: 400), group: "api")
        disk.crash(afterOperations: crashAt)
        var count = 3
        do {
          try makeStore(on: disk).appendRejected(lines(3..<6, padding: 400), group: "api")
          count = 6
        } catch is CrashingFileSystem.Crash {}
        let after =
          torn < 3
          ? disk.restart(tornBytes: [0, 700, 100_000][torn])
          : disk.restart(sectors: UInt64(torn))
        let store = try makeStore(on: after)
        var found = try read(store)
        #expect(found.numbers.starts(with: 0..<count), "crash at \(crashAt), \(torn)")
        #expect(found.damage.isEmpty && found.numbers.count <= 6, "crash at \(crashAt), \(torn)")
        try store.appendRejected(lines(9..<10), group: "api")
        found = try read(store)
        #expect(found.numbers.starts(with: 0..<count) && found.numbers.last == 9)
        #expect(found.damage.isEmpty, "crash at \(crashAt), \(torn)")
        #expect(try store.verify().problems == [])
      }
    }
  }

  @Test func `the file goes with its group`() throws {
    let disk = try makeDisk()
    let store = try makeStore(on: disk)
    try store.appendRejected(lines(0..<3), group: "api")
    try store.deleteGroup("api")
    try store.createGroup("api")
    #expect(try read(store) == ([], []))
    #expect(try disk.list("/store/rejected").isEmpty)
  }
}
