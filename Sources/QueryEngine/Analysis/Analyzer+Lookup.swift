import Columnar
package import QueryLanguage

// `lookup` and `cidrlookup` are two steps: a column without a name holds the number of the table's row
// that an event meets, found once; each output is a definition over it.
//
//     lookup users id OUTPUT name        row  = find in users by id
//                                        name = cell of row, or missing
//     lookup users id OUTPUTNEW name     name = name, or where that is empty the cell of row

extension DiagnosticID {
  package static let unknownTable = DiagnosticID("E405", "unknown-table")
  package static let unknownColumn = DiagnosticID("E406", "unknown-column")
}

extension Analyzer {
  mutating func bindLookup(_ command: LookupCommand) {
    let keys = command.matches.map { bindInput($0.field, of: "lookup") }
    guard let table = table(command.table) else { return bindNothing(command.outputs) }
    // Of a column that is not there the message is enough; what the outputs lack is said too.
    let columns = command.matches.compactMap { column($0.column, of: table, command.table) }
    let index = LookupIndex(table, columns: columns)
    tableByteCount += table.byteCount + index.byteCount
    let row = tableCall("lookup in \(command.table.text)", keys.map { .init(.slot($0)) }) {
      index.row(for: $0).map { .integer(Int64($0)) } ?? .missing
    }
    bindOutputs(command.outputs, command.mode, of: table, command.table, row: row)
  }

  mutating func bindCidrlookup(_ command: CidrlookupCommand) {
    let address = bindInput(command.addressField, of: "cidrlookup")
    guard let table = table(command.table),
      let index = networks(command.networkColumn, of: table, command.table)
    else { return bindNothing(command.outputs) }
    tableByteCount += table.byteCount + index.byteCount
    let row = tableCall("cidrlookup in \(command.table.text)", [.init(.slot(address))]) {
      $0[0].text.flatMap { index.row(for: $0) }.map { .integer(Int64($0)) } ?? .missing
    }
    bindOutputs(command.outputs, command.mode, of: table, command.table, row: row)
  }

  private mutating func bindOutputs(
    _ outputs: [LookupColumn], _ mode: LookupMode, of table: LookupTable, _ name: Identifier,
    row: BoundExpression
  ) {
    let row = BoundExpression(.slot(slot(of: row, named: name.text)))
    for output in outputs {
      guard let column = column(output.column, of: table, name) else {
        bindNothing([output])
        continue
      }
      let label = "\(name.text).\(output.column.name)"
      var value = tableCall(label, [row]) { Self.cell($0[0], column, table) }
      if mode == .fillMissing, let old = resolve(output.field) {
        let result = mayBeStructure(old) ? "any" : "string"
        value = tableCall(label, [old, row], result: result) { arguments in
          let isEmpty = arguments[0].isMissing || arguments[0] == .string("")
          guard isEmpty else { return arguments[0] }
          let found = Self.cell(arguments[1], column, table)
          return found.isMissing ? arguments[0] : found
        }
      }
      define(output.field, as: value)
    }
  }

  private static func cell(_ row: Value, _ column: Int, _ table: LookupTable) -> Value {
    guard case .integer(let row) = row else { return .missing }
    return table.cell(row: Int(row), column: column).map { .string($0) } ?? .missing
  }

  private func tableCall(
    _ name: String, _ arguments: [BoundExpression], result: String = "string",
    _ body: @escaping @Sendable ([Value]) -> Value
  ) -> BoundExpression {
    let function = ScalarFunction(
      name, .general, arguments.map { _ in .one("f") }, result, "", example: ""
    ) { arguments, _ in body(arguments) }
    return BoundExpression(
      .call(
        BoundCall(
          function: function, arguments: arguments,
          prepared: PreparedCall(evaluate: function.evaluate))))
  }

  private mutating func define(_ name: FieldName, as value: BoundExpression) {
    let slot = addSlot(name.name, .expression(value), mayBeStructure: mayBeStructure(value))
    scope.define(name.name, slot)
    visible.make(name.name, slot)
  }

  /// Gives the outputs of a command that is wrong their names, so that what follows can be checked.
  private mutating func bindNothing(_ outputs: [LookupColumn]) {
    for output in outputs { define(output.field, as: .missing) }
  }
}

// MARK: - Tables and columns

extension Analyzer {
  private mutating func table(_ name: Identifier) -> LookupTable? {
    do {
      if let table = try options.lookupTables?.table(name.text) { return table }
    } catch {
      report(
        Diagnostic(
          .unknownTable, .error, "lookup table '\(name.text)' cannot be read: \(error)",
          at: name.range))
      return nil
    }
    let names = options.lookupTables?.names() ?? []
    let nearest = NameSuggestion.nearest(to: name.text, among: names)
    let known = names.isEmpty ? "there are no tables" : "tables: \(names.joined(separator: ", "))"
    report(
      Diagnostic(
        .unknownTable, .error, "no lookup table '\(name.text)'", at: name.range,
        label: nearest.map { "did you mean '\($0)'?" }, notes: [.init(known)]))
    return nil
  }

  private mutating func column(
    _ name: FieldName, of table: LookupTable, _ tableName: Identifier
  ) -> Int? {
    if let column = table.column(named: name.name) { return column }
    let nearest = NameSuggestion.nearest(to: name.name, among: table.columns)
    report(
      Diagnostic(
        .unknownColumn, .error, "table '\(tableName.text)' has no column '\(name.name)'",
        at: name.range, label: nearest.map { "did you mean '\($0)'?" },
        notes: [.init("columns: \(table.columns.joined(separator: ", "))")]))
    return nil
  }

  /// The networks of the column that is named, or of the first one that holds nothing else.
  private mutating func networks(
    _ name: FieldName?, of table: LookupTable, _ tableName: Identifier
  ) -> NetworkIndex? {
    if let name {
      guard let column = column(name, of: table, tableName) else { return nil }
      if let index = NetworkIndex(table, column: column) { return index }
      report(Self.noNetworks(table, column, tableName, at: name.range))
      return nil
    }
    for column in table.columns.indices {
      if let index = NetworkIndex(table, column: column), !index.isEmpty { return index }
    }
    report(
      Diagnostic(
        .unknownColumn, .error, "table '\(tableName.text)' has no column of networks",
        at: tableName.range,
        notes: [.init("every cell of such a column is like 10.0.0.0/8 or 10.1.2.3")]))
    return nil
  }

  private static func noNetworks(
    _ table: LookupTable, _ column: Int, _ name: Identifier, at range: SourceRange
  ) -> Diagnostic {
    let row = (0..<table.rowCount).first { row in
      table.cell(row: row, column: column).map { NetworkIndex.network($0) == nil } ?? false
    }
    let detail = row.map {
      "line \(table.line(ofRow: $0)) has '\(table.cell(row: $0, column: column) ?? "")'"
    }
    return Diagnostic(
      .unknownColumn, .error,
      "column '\(table.columns[column])' of table '\(name.text)' has a cell that is no network",
      at: range, notes: detail.map { [.init($0)] } ?? [])
  }
}
