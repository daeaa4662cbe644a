import Foundation

/// Runs the built `varve`, as a user's shell would.
struct VarveProcess {
  /// What a finished process left.
  struct Result {
    let status: Int32
    let output: Data
    let errors: String

    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [String] { lines(keepingEmpty: false) }

    /// The lines of the output; a line end at the very end begins no further line.
    func lines(keepingEmpty: Bool) -> [String] {
      let text = text.hasSuffix("\n") ? String(text.dropLast()) : text
      return text.isEmpty
        ? []
        : text.split(separator: "\n", omittingEmptySubsequences: !keepingEmpty).map(String.init)
    }
  }

  /// A folder of this test's own: store, home, inputs. It goes when the value goes.
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The binary lies beside the test bundle.
  static let executable: URL = {
    let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let beside = bundle.deletingLastPathComponent().appendingPathComponent("varve")
    if FileManager.default.isExecutableFile(atPath: beside.path) { return beside }
    return repository.appendingPathComponent(".build/debug/varve")
  }()

  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static func sample(_ name: String) -> String {
    repository.appendingPathComponent("SampleLogs/\(name)").path
  }

  var store: String { folder.path("store") }

  /// Runs `varve` with this test's store and a clean environment.
  @discardableResult
  func callAsFunction(
    _ arguments: String..., input: String = "", environment: [String: String] = [:]
  ) throws -> Result {
    try run(arguments, input: Data(input.utf8), environment: environment)
  }

  /// Runs `varve`, or another program, in the repository's folder.
  func run(
    _ arguments: [String], of program: URL = executable, input: Data = Data(),
    environment: [String: String] = [:]
  ) throws -> Result {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = Self.repository
    process.environment = [
      "VARVE_STORE": store, "HOME": folder.path("home"), "PATH": "/usr/bin:/bin",
    ].merging(environment) { $1 }
    // Files in place of pipes: whatever the process writes, it never waits for us.
    let (inputFile, outputFile, errorFile) = (
      folder.path("stdin"), folder.path("stdout"), folder.path("stderr")
    )
    try input.write(to: URL(fileURLWithPath: inputFile))
    for name in ["stdout", "stderr"] { _ = try folder.write(name, "") }
    process.standardInput = FileHandle(forReadingAtPath: inputFile)
    process.standardOutput = FileHandle(forWritingAtPath: outputFile)
    process.standardError = FileHandle(forWritingAtPath: errorFile)
    try process.run()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus,
      output: try Data(contentsOf: URL(fileURLWithPath: outputFile)),
      errors: String(decoding: try Data(contentsOf: URL(fileURLWithPath: errorFile)), as: UTF8.self)
    )
  }
}

/// A folder that is removed when nobody holds it any more.
final class TemporaryFolder {
  private let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "varve-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Writes a file and gives its path.
  func write(_ name: String, _ text: String) throws -> String {
    try write(name, Data(text.utf8))
  }

  func write(_ name: String, _ data: Data) throws -> String {
    try data.write(to: URL(fileURLWithPath: path(name)))
    return path(name)
  }
}
