import Foundation
import Testing

/// Whether a file system of a few megabytes can be made.
private enum SmallDisk {
  static let canMount: Bool = {
    guard let varve = try? VarveProcess(),
      let result = try? varve.run(
        ["-rm", "sh", "-c", "mount -t tmpfs -o size=1m none \(varve.folder.path("."))"],
        of: URL(fileURLWithPath: "/usr/bin/unshare"))
    else { return false }
    return result.status == 0
  }()
}

/// On a real file system without room: ingestion is refused by name, nothing acknowledged is lost, and what frees room
/// works.
///
/// The file system is one in memory, mounted where only this test's processes see it; a machine that does not allow that
/// skips the test.
@Suite(.enabled(if: SmallDisk.canMount)) struct FullDiskTests {
  /// Runs a script with `varve` as `$V`, a small disk as `$D` with its store, and two files of 2,000 and 20,000 events.
  private func run(_ script: String, size: String) throws -> VarveProcess.Result {
    let varve = try VarveProcess()
    let disk = varve.folder.path("disk")
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    let now = 1_795_262_400_000
    func lines(_ count: Int) -> String {
      (0..<count).map {
        "{\"timestamp\":\(now - count + $0),\"n\":\($0),\"noise\":\"\(UInt64.random(in: 0 ... .max))\"}\n"
      }.joined()
    }
    let small = try varve.folder.write("small.ndjson", lines(2_000))
    let large = try varve.folder.write("large.ndjson", lines(20_000))
    let preface = """
      mount -t tmpfs -o size=\(size) none \(disk) || exit 99
      V=\(VarveProcess.executable.path); D=\(disk); SMALL=\(small); LARGE=\(large)
      export VARVE_STORE=$D/store
      fill() { dd if=/dev/zero of=$D/junk bs=64k >/dev/null 2>&1; }

      """
    return try varve.run(
      ["-rm", "bash", "-c", preface + script], of: URL(fileURLWithPath: "/usr/bin/unshare"))
  }

  @Test func `a full disk refuses events and still expires and deletes`() throws {
    let result = try run(
      """
      $V ingest -q -g app $SMALL; echo "first $?"
      $V ingest -q -g old $SMALL; echo "old $?"
      $V ingest -q -g past $SMALL --now 2026-11-21; echo "past $?"
      $V retention set past 1; echo "retention $?"
      fill
      $V ingest -g app $SMALL; echo "bulk $?"
      $V ingest -g app --acknowledge - < $SMALL; echo "stream $?"
      $V query 'stats count(*) as n'; echo "query $?"
      $V retain --now 2027-03-01; echo "retain $?"
      $V delete old --yes; echo "delete $?"
      $V query 'stats count(*) as n by @log'; echo "again $?"
      $V verify; echo "verify $?"
      rm $D/junk
      $V ingest -q -g app $SMALL; echo "after $?"
      $V query 'stats count(*) as n'
      """, size: "72m")
    let text = result.text
    for line in [
      "first 0", "old 0", "past 0", "retention 0", "bulk 1", "stream 1", "query 0", "retain 0",
      "delete 0", "again 0", "verify 0", "after 0",
    ] { #expect(result.lines.contains(line), "\(line) in:\n\(text)\n\(result.errors)") }
    #expect(result.lines.contains(#"{"n":6000}"#), "\(text)")
    #expect(text.contains("past") && result.lines.filter { $0 == #"{"n":4000}"# }.count == 1)
    let refusals = result.errors.split(separator: "\n").filter { $0.contains("MiB are free") }
    #expect(refusals.count == 2 && refusals.allSatisfy { $0.contains("varve retain") })
  }

  @Test func `a disk without a free byte still lets a thousand segments expire`() throws {
    let result = try run(
      """
      for i in $(seq 0 999); do echo "{\\"timestamp\\":$((1795262400000 - i * 86400000)),\\"n\\":$i}"; done |
        $V ingest -q -g past -; echo "past $?"
      $V ingest -q -g old $SMALL; echo "old $?"
      $V retention set past 900; echo "retention $?"
      fill; dd if=/dev/zero of=$D/junk2 bs=1 count=4096 2>/dev/null
      stat -f -c 'free %a' $D
      $V delete old --yes; echo "delete $?"
      fill; dd if=/dev/zero of=$D/more bs=64k 2>/dev/null
      stat -f -c 'again free %a' $D
      $V retain --now 2029-01-01; echo "retain $?"
      $V query 'stats count(*) as n' --now 2026-11-22; echo "query $?"
      $V verify; echo "verify $?"
      rm $D/junk; $V ingest -q -g app $SMALL; echo "after $?"
      """, size: "80m")
    for line in [
      "past 0", "old 0", "retention 0", "free 0", "delete 0", "again free 0", "retain 0",
      "query 0", "verify 0", "after 0",
    ] { #expect(result.lines.contains(line), "\(line) in:\n\(result.text)\n\(result.errors)") }
    let expired = result.text.firstMatch(of: /xpired (\d+) events in \d+ segments of 1 group/)
      .flatMap { Int($0.1) }
    let left = result.text.firstMatch(of: /"n":(\d+)/).flatMap { Int($0.1) }
    #expect(expired ?? 0 > 800 && (expired ?? 0) + (left ?? 0) == 1000, "\(result.text)")
  }

  @Test func `a file that does not fit is refused as a whole and leaves the reserve alone`() throws
  {
    let result = try run(
      """
      $V ingest -q -g app $SMALL; echo "first $?"
      od -An -v -tx1 -w32 -N 8000000 /dev/urandom | tr -d ' ' | $V ingest -g app -; echo "bulk $?"
      stat -f -c '%a %S' $D | { read blocks size; echo "free $((blocks * size / 1048576))"; }
      $V query 'stats count(*) as n'; ls $D/store/tmp | wc -l
      $V verify; echo "verify $?"
      """, size: "69m")
    for line in ["first 0", "bulk 1", "free 68", #"{"n":2000}"#, "0", "verify 0"] {
      #expect(result.lines.contains(line), "\(line) in:\n\(result.text)\n\(result.errors)")
    }
    #expect(result.errors.contains("are kept for retention and deletion"), "\(result.errors)")
  }

  @Test func `a disk that becomes full under a stream keeps every acknowledged event`() throws {
    let result = try run(
      """
      $V ingest -q -g app $SMALL; echo "first $?"
      (head -n 5000 $LARGE; sleep 1; fill; tail -n +5001 $LARGE) |
        $V ingest -g live --acknowledge - > $D/../acknowledged; echo "stream $?"
      tail -n 1 $D/../acknowledged
      $V query 'stats count(*) as n' -g live; echo "query $?"
      rm $D/junk
      $V retain; echo "retain $?"
      $V query 'stats count(*) as n, count_distinct(n) as d' -g live
      $V verify; echo "verify $?"
      """, size: "90m")
    let text = result.text
    for line in ["first 0", "stream 1", "query 0", "retain 0", "verify 0"] {
      #expect(result.lines.contains(line), "\(line) in:\n\(text)\n\(result.errors)")
    }
    let acknowledged = text.firstMatch(of: /"acknowledged":(\d+)/).flatMap { Int($0.1) } ?? -1
    let left = text.firstMatch(of: /"n":(\d+),"d":(\d+)/).map { (Int($0.1)!, Int($0.2)!) }
    #expect(acknowledged >= 5000, "\(text)")
    #expect(left.map { $0.0 >= acknowledged && $0.0 == $0.1 } == true, "\(text)")
    #expect(result.errors.contains("free"), "\(result.errors)")
  }
}
