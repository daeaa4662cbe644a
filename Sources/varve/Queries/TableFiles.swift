import LogStorage
import QueryEngine

/// The lookup tables that a query may use: those of the command line, and those of the store.
enum TableFiles {
  /// The tables of `name=file` arguments.
  ///
  /// - Throws: `CommandFailure` when an argument or a file is not as it must be.
  static func tables(_ arguments: [String]) throws -> LookupTables? {
    guard !arguments.isEmpty else { return nil }
    var tables: [String: LookupTable] = [:]
    for argument in arguments {
      guard let place = argument.firstIndex(of: "="), place != argument.startIndex else {
        throw CommandFailure.usage("--lookup '\(argument)' names no table; write name=file.csv")
      }
      let name = String(argument[..<place])
      guard tables[name] == nil else {
        throw CommandFailure.usage("--lookup gives the table '\(name)' twice")
      }
      tables[name] = try table(String(argument[argument.index(after: place)...])).table
    }
    return LookupTables(tables)
  }

  /// The table of a CSV file, with the bytes it was read from.
  ///
  /// - Throws: `CommandFailure`.
  static func table(_ path: String) throws -> (table: LookupTable, bytes: [UInt8]) {
    let bytes = try QueryText.bytes(of: path, what: "a table", limit: LookupTable.largestText)
    return (try table(bytes, name: path), bytes)
  }

  /// The table of a text.
  ///
  /// - Throws: `CommandFailure`.
  static func table(_ bytes: [UInt8], name: String) throws -> LookupTable {
    do {
      return try LookupTable(csv: bytes)
    } catch {
      throw CommandFailure("'\(name)' is no lookup table: \(error)", code: "bad-table")
    }
  }
}
