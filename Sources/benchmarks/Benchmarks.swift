import Glibc

/// Measures the store and the engine, and writes the sample logs.
@main
struct Benchmarks {
  private static let usage = """
    usage: benchmarks ingest|scan|filter|aggregate|micro|all FILE [REPEATS]
           benchmarks sample-logs FOLDER

    """

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      fail("benchmarks: \(error)\n", exitCode: 1)
    }
  }

  private static func run(_ arguments: [String]) throws {
    guard (2...3).contains(arguments.count), let repeats = Int(arguments.dropFirst(2).first ?? "5")
    else { return fail(usage, exitCode: 2) }
    let (name, path) = (arguments[0], arguments[1])
    if name == "sample-logs" {
      for (name, text) in SampleLogs.files() { try FileText.write(text, to: "\(path)/\(name)") }
      return
    }
    let chosen = try benchmarks(name, path)
    guard !chosen.isEmpty else { return fail(usage, exitCode: 2) }
    for benchmark in chosen { print(try benchmark.measure(repeats: repeats)) }
  }

  private static func benchmarks(_ name: String, _ path: String) throws -> [Benchmark] {
    let input = try FileText.read(path)
    let engine = EngineBenchmarks(path: path, byteCount: input.count)
    switch name {
    case "micro": return MicroBenchmarks.all(input: input)
    case "ingest": return [engine.ingest]
    case "scan", "filter", "aggregate": return try engine.queries(name)
    case "all":
      return try MicroBenchmarks.all(input: input) + [engine.ingest]
        + ["scan", "filter", "aggregate"].flatMap { try engine.queries($0) }
    default: return []
    }
  }

  private static func fail(_ text: String, exitCode: Int32) {
    var text = text
    text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(exitCode)
  }
}
