import Glibc
import LogStorage

/// Measures the store and the engine, and writes the sample logs.
@main
struct Benchmarks {
  private static let usage = """
    usage: benchmarks micro|ingest|queries|all [EVENTS] [REPEATS]
           benchmarks ingest|scan|filter|aggregate FILE [REPEATS]
           benchmarks sample-logs FOLDER

    micro     kernels and encodings, each by itself
    queries   what people ask of logs, on EVENTS generated events (default 200000)
    Each line: best time of REPEATS runs (default 5), rows and bytes in a second, and a checksum of what came out.

    """

  /// Generated events where no number is given.
  private static let defaultEventCount = 200_000

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      fail("benchmarks: \(error)\n", exitCode: 1)
    }
  }

  private static func run(_ arguments: [String]) throws {
    guard (1...3).contains(arguments.count), let repeats = Int(arguments.dropFirst(2).first ?? "5")
    else { return fail(usage, exitCode: 2) }
    let (name, data) = (arguments[0], arguments.dropFirst().first)
    if name == "sample-logs", let folder = data {
      for (name, text) in SampleLogs.files() { try FileText.write(text, to: "\(folder)/\(name)") }
      return
    }
    guard let chosen = try benchmarks(name, data) else { return fail(usage, exitCode: 2) }
    for benchmark in chosen { print(try benchmark.measure(repeats: repeats)) }
  }

  /// The benchmarks of a name; `nil` if there is no such name.
  private static func benchmarks(_ name: String, _ data: String?) throws -> [Benchmark]? {
    if let data, Int(data) == nil { return try benchmarks(name, file: data) }
    let count = data.flatMap { Int($0) } ?? defaultEventCount
    guard count > 0, ["micro", "ingest", "queries", "all"].contains(name) else { return nil }
    let log = ServiceLog(eventCount: count)
    var chosen: [Benchmark] = []
    if name == "micro" || name == "all" {
      let rowCount = min(count, 65_536)
      chosen += MicroBenchmarks.all(input: log.text) + KernelBenchmarks.all(rowCount: rowCount)
      chosen += try EncodingBenchmarks.all(rowCount: rowCount)
    }
    let engine = EngineBenchmarks(.memory(log.text, name: "generated"), byteCount: log.text.count)
    if name == "ingest" || name == "all" { chosen.append(engine.ingest) }
    if name == "queries" || name == "all" {
      chosen += try engine.queries(Workload(log).questions)
    }
    return chosen
  }

  private static func benchmarks(_ name: String, file path: String) throws -> [Benchmark]? {
    let input = try FileText.read(path)
    let engine = EngineBenchmarks(.file(path), byteCount: input.count)
    switch name {
    case "micro": return MicroBenchmarks.all(input: input)
    case "ingest": return [engine.ingest]
    case "scan", "filter", "aggregate": return try engine.queries(name)
    case "all":
      return try MicroBenchmarks.all(input: input) + [engine.ingest]
        + ["scan", "filter", "aggregate"].flatMap { try engine.queries($0) }
    default: return nil
    }
  }

  private static func fail(_ text: String, exitCode: Int32) {
    var text = text
    text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(exitCode)
  }
}
