import Foundation
import Testing

/// Several processes work on one store at once.
@Suite struct ManyProcessesTests {
  /// Writes a file of events whose numbers no other has.
  private func events(_ varve: VarveProcess, _ name: String, from first: Int, count: Int) throws
    -> String
  {
    let now = Int(Date().timeIntervalSince1970 * 1000) - 60_000
    let text = (first..<first + count).map {
      "{\"timestamp\":\(now + $0 % 1000),\"id\":\($0),\"writer\":\"\(name)\"}\n"
    }
    return try varve.folder.write(name, text.joined())
  }

  @Test func `ingestion, streams, maintenance and readers side by side lose and double nothing`()
    throws
  {
    let varve = try VarveProcess()
    var script = "V=\(VarveProcess.executable.path); cd \(varve.folder.path("."))\n"
    let (rounds, perRound, perStream) = (6, 500, 4000)
    for writer in 0..<2 {
      for round in 0..<rounds {
        let first = (writer * rounds + round) * perRound
        _ = try events(varve, "bulk-\(writer)-\(round)", from: first, count: perRound)
      }
      let first = 2 * rounds * perRound + writer * perStream
      _ = try events(varve, "stream-\(writer)", from: first, count: perStream)
      script += """
        (for r in 0 1 2 3 4 5; do $V ingest -q -g app bulk-\(writer)-$r || echo "bulk failed"; done) &
        W="$W $!"
        (split -l 400 --filter='cat; sleep 0.05' stream-\(writer) |
          $V ingest -q -g app --acknowledge - > ack-\(writer) || echo "stream failed") &
        W="$W $!"

        """
    }
    script += """
      until [ -e $VARVE_STORE/FORMAT ]; do sleep 0.02; done
      (until [ -e done ]; do $V retain -q > /dev/null || echo "retain failed $?"; done) &
      (until [ -e done ]; do
        $V query 'stats count(*) as n, count_distinct(id) as d' -g app >> seen 2>> trouble; done) &
      wait $W
      touch done
      wait
      $V query 'stats count(*) as n, count_distinct(id) as d' -g app
      $V verify -q && echo intact
      tail -q -n 1 ack-0 ack-1
      """
    let result = try varve.run(["-c", script], of: URL(fileURLWithPath: "/bin/bash"))
    let total = 2 * rounds * perRound + 2 * perStream
    #expect(
      result.lines == [
        #"{"n":\#(total),"d":\#(total)}"#, "intact", #"{"acknowledged":\#(perStream)}"#,
        #"{"acknowledged":\#(perStream)}"#,
      ], "\(result.text)\n\(result.errors)")
    var before = 0
    let seen = try String(contentsOfFile: varve.folder.path("seen"), encoding: .utf8)
    for line in seen.split(separator: "\n") {
      let match = try #require(line.firstMatch(of: /"n":(\d+),"d":(\d+)/), "\(line)")
      let count = try #require(Int(match.1))
      #expect(match.1 == match.2, "each event once: \(line)")
      #expect(count >= before, "what was seen once is seen again")
      before = count
    }
    // Before the first writer is done there is no group to ask.
    let trouble = try String(contentsOfFile: varve.folder.path("trouble"), encoding: .utf8)
    #expect(
      trouble.split(separator: "\n").allSatisfy {
        $0.contains("does not exist") || $0.contains("no store")
      }, "\(trouble)")
  }

  @Test
  func `exact retention beside streams takes what has expired, wherever it is, and nothing else`()
    throws
  {
    let varve = try VarveProcess()
    let now = Int(Date().timeIntervalSince1970 * 1000) - 60_000
    var script = "V=\(VarveProcess.executable.path); cd \(varve.folder.path("."))\n"
    script +=
      #"echo '{"id":-1}' | $V ingest -q -g app -; $V retention set app 1 > /dev/null"# + "\n"
    let count = 3000
    for writer in 0..<2 {
      // Every second event expired two days ago.
      let text = (0..<count).map {
        "{\"timestamp\":\(now - $0 % 2 * 3 * 86_400_000),\"id\":\(writer * count + $0)}\n"
      }
      _ = try varve.folder.write("stream-\(writer)", text.joined())
      script += """
        (split -l 300 --filter='cat; sleep 0.2' stream-\(writer) |
          $V ingest -q -g app --acknowledge - > ack-\(writer) || echo "stream failed") &
        W="$W $!"

        """
    }
    script += """
      (until [ -e done ]; do $V retain -q --exact 2>> trouble; done) &
      wait $W
      touch done
      wait
      $V retain -q --exact || echo "retain failed"
      ls $VARVE_STORE/wal
      $V retention set app never > /dev/null
      $V query 'stats count(*) as n, count_distinct(id) as d' -g app
      $V verify -q && echo intact
      $V audit | grep -c expired
      tail -q -n 1 ack-0 ack-1
      """
    let result = try varve.run(["-c", script], of: URL(fileURLWithPath: "/bin/bash"))
    var lines = result.lines
    let removals = lines.count > 2 ? Int(lines.remove(at: 2)) ?? 0 : 0
    #expect(
      lines == [
        #"{"n":\#(count + 1),"d":\#(count + 1)}"#, "intact", #"{"acknowledged":\#(count)}"#,
        #"{"acknowledged":\#(count)}"#,
      ], "\(result.text)\n\(result.errors)")
    #expect(removals > 1, "the logs were emptied while the streams ran")
    // What comes while a run is at work is left to the next one, and told.
    let trouble = try String(contentsOfFile: varve.folder.path("trouble"), encoding: .utf8)
    #expect(
      trouble.split(separator: "\n").allSatisfy { $0.contains(/remains? in/) }, "\(trouble)")
  }

  @Test func `who waits for a lock says for what and for whom`() throws {
    let varve = try VarveProcess()
    let file = try events(varve, "input", from: 0, count: 3)
    #expect(try varve("ingest", "-q", "-g", "app", file).status == 0)
    let lock = varve.store + "/locks/manifest"
    let result = try varve.run(
      [
        "-c",
        """
        flock \(lock) sleep 3 & sleep 0.5
        \(VarveProcess.executable.path) ingest -g app \(file); echo "ingest $?"
        wait
        """,
      ], of: URL(fileURLWithPath: "/bin/bash"))
    #expect(result.text.contains("ingest 0"))
    let expected = /varve: waiting for \S+\/locks\/manifest, which process(?:es)? [\d, ]+ holds?\n/
    #expect(result.errors.contains(expected), "\(result.errors)")
  }
}
