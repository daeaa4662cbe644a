import Foundation

/// Files of the project, found from the place of this source file.
package enum ProjectFolder {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The text of a file, its path given from the top of the project.
  package static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// The bytes of a file, its path given from the top of the project.
  package static func bytes(_ path: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: root.appendingPathComponent(path)))
  }

  /// The paths of the Swift files in a folder and the folders below it, sorted.
  package static func swiftFiles(below path: String) throws -> [String] {
    let folder = root.appendingPathComponent(path)
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    return files.filter { $0.hasSuffix(".swift") }.map { "\(path)/\($0)" }.sorted()
  }

  /// The log files in the folder of shared data beside the project; none when it is not there.
  package static func sharedData() -> [String] {
    let folder = root.deletingLastPathComponent().appendingPathComponent("shared/data")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0 != "README.md" }.sorted().map { folder.path + "/" + $0 }
  }
}
