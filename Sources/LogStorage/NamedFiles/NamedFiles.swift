// Small things that a store keeps beside its events under a name: lookup tables and saved queries. Each is
// a file of its own: a line with its checksum and length, then the content as it was given.
//
//     lookups/users.csv      varve 1 5a3c…e1 1042
//                            id,name
//                            …
//
// A new content is written beside the old one, made durable, and renamed over it, so that whoever reads
// sees the one or the other, after a crash too. Writers take turns.

/// A folder of small files by name.
package struct NamedFiles: Sendable {
  /// What the files of one folder are.
  package struct Kind: Sendable {
    /// For messages, such as `lookup table`.
    let title: String
    let plural: String
    /// The most of them in one store.
    let most: Int
    let suffix: String
    /// Whether a name may hold blanks, slashes and the letters of all languages.
    let hasFreeNames: Bool

    package static let lookupTable = Kind(
      title: "lookup table", plural: "lookup tables", most: 100, suffix: ".csv",
      hasFreeNames: false)
    package static let savedQuery = Kind(
      title: "saved query", plural: "saved queries", most: 1_000, suffix: ".query",
      hasFreeNames: true)

    /// - Throws: `StorageError` `invalidArgument` for a name that is none.
    package func check(_ name: String) throws {
      if isName(name) { return }
      let rule =
        hasFreeNames
        ? "use up to 80 bytes without '`' and control characters, no blank first or last"
        : "use up to 100 letters, digits, '_' and '-'"
      throw StorageError(.invalidArgument, "'\(name)' cannot name a \(title); \(rule)")
    }

    func isName(_ name: String) -> Bool {
      let bytes = name.utf8
      guard hasFreeNames else {
        return (1...100).contains(bytes.count) && bytes.allSatisfy(Self.isPlain)
      }
      // Three bytes for each of them must fit into the name of a file.
      return (1...80).contains(bytes.count) && bytes.first != 0x20 && bytes.last != 0x20
        && name.unicodeScalars.allSatisfy { $0 != "`" && $0.properties.generalCategory != .control }
    }

    /// The name of the file: every byte that may not stand in it as `%` and two digits.
    func fileName(_ name: String) -> String {
      String(
        decoding: name.utf8.flatMap { byte in
          Self.isPlain(byte) ? [byte] : [UInt8(ascii: "%")] + Array(hexByte(byte).utf8)
        }, as: UTF8.self) + suffix
    }

    /// The name that a file stands for; `nil` for other files.
    func name(ofFile file: String) -> String? {
      guard file.hasSuffix(suffix) else { return nil }
      var rest = Array(file.utf8.dropLast(suffix.utf8.count))[...]
      var bytes: [UInt8] = []
      while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
          bytes.append(byte)
          continue
        }
        guard rest.count >= 2,
          let decoded = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
        else { return nil }
        bytes.append(decoded)
        rest = rest.dropFirst(2)
      }
      let name = String(decoding: bytes, as: UTF8.self)
      return isName(name) && fileName(name) == file ? name : nil
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    private func hexByte(_ byte: UInt8) -> String {
      let text = String(byte, radix: 16)
      return text.utf8.count < 2 ? "0" + text : text
    }
  }

  private let kind: Kind
  private let directory: String
  private let storeNames: FileNames
  private let fileSystem: any FileSystem

  init(_ kind: Kind, in directory: String, of names: FileNames, fileSystem: any FileSystem) {
    self.kind = kind
    self.directory = directory
    storeNames = names
    self.fileSystem = fileSystem
  }

  /// The names, in ascending byte order.
  package func names() throws -> [String] {
    guard try fileSystem.status(of: directory) != nil else { return [] }
    return try fileSystem.list(directory).compactMap(kind.name(ofFile:))
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The content of a name; `nil` if there is none.
  ///
  /// - Throws: `StorageError`; `damaged` when it is not what was written.
  package func content(of name: String) throws -> [UInt8]? {
    guard kind.isName(name), try fileSystem.status(of: path(name)) != nil else { return nil }
    let bytes = try fileSystem.contents(of: path(name))
    guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { throw damaged(name) }
    let content = Array(bytes[(end + 1)...])
    guard bytes[...end].elementsEqual(Self.header(of: content)) else { throw damaged(name) }
    return content
  }

  /// Keeps a content under a name, in place of what it had.
  ///
  /// - Throws: `StorageError`; `invalidArgument` for a name that is none and one file too many.
  package func put(_ content: [UInt8], as name: String) throws {
    try kind.check(name)
    let lock = try lockForWriting()
    defer { try? lock.unlock() }
    let names = try names()
    guard names.contains(name) || names.count < kind.most else {
      throw StorageError(
        .invalidArgument, "the store has \(names.count) \(kind.plural), and no more fit; delete one"
      )
    }
    try fileSystem.makeDirectories(directory)
    try fileSystem.replace(
      path(name), by: Self.header(of: content) + content, through: storeNames.temporary)
  }

  /// Removes a name.
  ///
  /// - Returns: whether it was there.
  package func delete(_ name: String) throws -> Bool {
    let lock = try lockForWriting()
    defer { try? lock.unlock() }
    guard kind.isName(name), try fileSystem.status(of: path(name)) != nil else { return false }
    try fileSystem.unlink(path(name))
    try fileSystem.syncDirectory(directory)
    return true
  }

  private func lockForWriting() throws -> any RandomAccessFile {
    let lock = try fileSystem.open(storeNames.manifestLock, .createOrAppend)
    _ = try lock.lock(.exclusive, waiting: true)
    return lock
  }

  private static func header(of content: [UInt8]) -> [UInt8] {
    Array("varve 1 \(hex(XXH64.hash(content))) \(content.count)\n".utf8)
  }

  private func path(_ name: String) -> String { "\(directory)/\(kind.fileName(name))" }

  private func damaged(_ name: String) -> StorageError {
    StorageError(
      .damaged, "\(path(name)): the \(kind.title) is damaged; put it into the store once more")
  }
}

extension LogStore {
  /// The lookup tables of the store, as CSV.
  ///
  /// - Throws: `StorageError` `notPermitted` if they are to be changed in a store opened for reading.
  package func lookupTables(forWriting: Bool = false) throws -> NamedFiles {
    try namedFiles(.lookupTable, in: names.lookups, forWriting: forWriting)
  }

  /// The saved queries of the store.
  ///
  /// - Throws: `StorageError` `notPermitted` if they are to be changed in a store opened for reading.
  package func savedQueries(forWriting: Bool = false) throws -> NamedFiles {
    try namedFiles(.savedQuery, in: names.savedQueries, forWriting: forWriting)
  }

  private func namedFiles(
    _ kind: NamedFiles.Kind, in directory: String, forWriting: Bool
  ) throws -> NamedFiles {
    if forWriting { try requireWritable() }
    return NamedFiles(kind, in: directory, of: names, fileSystem: fileSystem)
  }
}
