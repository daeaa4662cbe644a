import ArgumentParser
import Columnar
import LogStorage
import QueryEngine
import QueryLanguage

/// `varve lookup`: the tables that a store keeps for `lookup` and `cidrlookup`.
struct LookupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lookup",
    abstract: "Keep tables in the store for the commands lookup and cidrlookup.",
    discussion: "A table is a CSV file in UTF-8 whose first line names the columns.",
    subcommands: [Put.self, List.self, Delete.self])

  /// Keeps a table.
  struct Put: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "put", abstract: "Keep a CSV file as a table, in place of one that has its name."
    )

    @Argument(help: "The table's name: letters, digits, '_' and '-'.")
    var name: String

    @Argument(help: "The CSV file ('-' is standard input).")
    var file: String

    @OptionGroup var store: StoreOptions

    func run() throws {
      try NamedFiles.Kind.lookupTable.check(name)
      let (table, bytes) = try TableFiles.table(file)
      try store.open(.create).lookupTables(forWriting: true).put(bytes, as: name)
      if !store.quiet {
        let rows = HumanUnits.count(table.rowCount, "row")
        Terminal.say("Kept \(name): \(rows) of \(table.columns.joined(separator: ", ")).\n")
      }
    }
  }

  /// Lists the tables.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List the tables.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
      let files = try store.open(.readOnly).lookupTables()
      var listing = Listing(
        ("table", .text), ("rows", .count), ("bytes", .bytes), ("columns", .text))
      for name in try files.names() {
        guard let bytes = try files.content(of: name) else { continue }
        let table = try TableFiles.table(bytes, name: name)
        listing.add(
          .string(name), Value(table.rowCount), Value(bytes.count),
          .string(table.columns.joined(separator: ", ")))
      }
      try listing.print(as: output.format)
    }
  }

  /// Removes a table.
  struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "delete", abstract: "Remove a table.")

    @Argument(help: "The table's name.")
    var name: String

    @OptionGroup var store: StoreOptions

    func run() throws {
      let files = try store.open(.readWrite).lookupTables(forWriting: true)
      guard try files.delete(name) else {
        let near = NameSuggestion.nearest(to: name, among: try files.names())
        throw CommandFailure(
          "there is no lookup table '\(name)'"
            + (near.map { "; did you mean '\($0)'?" } ?? "; 'varve lookup list' lists them"),
          code: "unknown-table")
      }
      if !store.quiet { Terminal.say("Deleted the table \(name).\n") }
    }
  }
}
