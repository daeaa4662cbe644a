import LogStorage
import QueryEngine
import QueryLanguage

extension QueryOptions {
  /// Adds what a store keeps by name: lookup tables, behind those of the command line, and saved
  /// queries.
  ///
  /// The store is opened, and a file read, when a query names one; `nil` is no store.
  mutating func addKept(in store: @escaping @Sendable () throws -> LogStore?) {
    let given = lookupTables
    lookupTables = LookupTables(
      names: {
        let kept = (try? store()?.lookupTables().names()) ?? []
        return Set((given?.names() ?? []) + kept).sorted()
      },
      table: { name in
        if let table = try given?.table(name) { return table }
        return try store()?.lookupTables().content(of: name).map { try LookupTable(csv: $0) }
      })
    savedQueries = SavedQueries(
      names: { (try? store()?.savedQueries().names()) ?? [] },
      query: { name in try store()?.savedQueries().savedQuery(name) })
  }
}
