import Glibc

/// Measures the store and the engine, and writes the sample logs.
@main
struct Benchmarks {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count == 2, arguments[0] == "sample-logs" else {
      print("usage: benchmarks sample-logs FOLDER")
      exit(2)
    }
    for (name, text) in SampleLogs.files() {
      guard let file = fopen("\(arguments[1])/\(name)", "w") else {
        print("benchmarks: cannot write \(arguments[1])/\(name)")
        exit(1)
      }
      var text = text
      text.withUTF8 { _ = fwrite($0.baseAddress, 1, $0.count, file) }
      fclose(file)
    }
  }
}
