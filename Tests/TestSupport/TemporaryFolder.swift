import Foundation

/// A folder of its own for one test, removed when the last reference goes.
package final class TemporaryFolder: Sendable {
  package let path: String

  package init() {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("varve-test-\(UUID().uuidString)")
    try! FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of something in the folder.
  package func file(_ name: String) -> String { path + "/" + name }

  /// Writes a file in the folder and returns its path.
  package func write(_ bytes: [UInt8], to name: String) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
    return file(name)
  }
}
