// The text of each command.

extension QueryPrinter {
  mutating func print(_ kind: Command.Kind) {
    switch kind {
    case .accum(let command): print("accum", command.field, command.alias)
    case .addtotals(let command): print(command)
    case .anomaly: print("anomaly")
    case .appendcols(let command): print(command)
    case .autoregress(let command): print(command)
    case .cidrlookup(let command): print(command)
    case .countFrequent(let command): print("countFrequent ", command.fields)
    case .dedup(let command): print("dedup ", command.fields)
    case .diff(let command): print(command)
    case .display(let command): print("display ", command.columns)
    case .estimate: print("estimate")
    case .expand(let command): print("expand ", [command.field])
    case .fields(let command): print(command)
    case .filldown(let command): print(command)
    case .fillmissing(let command): print(command)
    case .filter(let command):
      print("filter ")
      print(command.condition)
    case .filterIndex(let command): print(command)
    case .join(let command): print(command)
    case .json(let command): print(command)
    case .limit(let command): print(command)
    case .logcompare(let command): print("logcompare timeshift \(command.timeshift.text)")
    case .lookup(let command): print(command)
    case .outlier(let command): print(command)
    case .parse(let command): print(command)
    case .pattern(let command): print("pattern ", [command.input])
    case .relevantfields(let command): print(command)
    case .savedQuery(let command): print(command)
    case .search(let command):
      print("search ")
      print(command.pattern)
    case .sessionize(let command): print(command)
    case .sort(let command): print(command)
    case .source(let command): print(command)
    case .stats(let command): print(command)
    case .unnest(let command):
      print("unnest ")
      print(command.expression)
      print(" into ")
      print(command.alias)
    case .invalid(let command): print("# invalid \(command.keyword?.spelling ?? "stage")\n")
    }
  }

  private mutating func print(_ word: String, _ field: FieldName, _ alias: FieldName?) {
    print(word + " ")
    print(field)
    print(alias: alias)
  }

  private mutating func print(
    _ word: String, _ names: [FieldName], separator: String = ", "
  ) {
    print(word + names.map { Self.text(of: $0) }.joined(separator: separator))
  }

  private mutating func print(_ word: String, _ columns: [AliasedExpression]) {
    print(word)
    printSeparated(columns) { $0.print($1) }
  }

  private mutating func printSeparated<Element>(
    _ elements: [Element], _ body: (inout QueryPrinter, Element) -> Void
  ) {
    for (index, element) in elements.enumerated() {
      if index > 0 { print(", ") }
      body(&self, element)
    }
  }

  private mutating func print(_ command: AddtotalsCommand) {
    print("addtotals")
    if let name = command.fieldName { print(" fieldname=\(Self.text(of: name))") }
    if !command.addsRowTotal { print(" row=false") }
    if command.addsSummaryRow { print(" col=true") }
    if !command.fields.isEmpty { print(" ", command.fields) }
  }

  private mutating func print(_ command: AppendcolsCommand) {
    print("appendcols ")
    if command.overrides { print("override=true ") }
    if command.maximumRows != LanguageLimits.defaultAppendedRows {
      print("max=\(command.maximumRows) ")
    }
    print(command.subquery)
  }

  private mutating func print(_ command: AutoregressCommand) {
    print("autoregress", command.field, command.alias)
    if command.lags == 1...1 { return }
    print(" p=\(command.lags.lowerBound)")
    if command.lags.count > 1 { print("-\(command.lags.upperBound)") }
  }

  private mutating func print(_ command: DiffCommand) {
    switch command.baseline {
    case .preceding: print("diff")
    case .previousDay: print("diff previousDay")
    case .previousWeek: print("diff previousWeek")
    case .previousMonth: print("diff previousMonth")
    }
  }

  private mutating func print(_ command: FieldsCommand) {
    print("fields ")
    printSeparated(command.items) { printer, item in
      switch item {
      case .all: printer.print("*")
      case .expression(let expression): printer.print(expression)
      }
    }
  }

  private mutating func print(_ command: FilldownCommand) {
    print("filldown")
    for field in command.fields {
      print(" " + Self.text(of: field))
    }
  }

  private static func text(of pattern: FieldPattern) -> String {
    pattern.pieces.enumerated().map { index, piece in
      let isOpen = pattern.hasWildcard && piece.isEmpty
      let beginsOddly = index == 0 && (piece.first == "." || piece.first?.isNumber == true)
      let isPlain = piece.unicodeScalars.allSatisfy { $0 == "." || isNamePart($0) }
      let isBare = isOpen || (isPlain && !piece.isEmpty && !beginsOddly)
      return isBare ? piece : "`" + piece.replacing("`", with: "\\`") + "`"
    }
    .joined(separator: "*")
  }

  private mutating func print(_ command: FillmissingCommand) {
    print("fillmissing")
    if command.fillings.isEmpty { return }
    print(" with ")
    printSeparated(command.fillings) { printer, filling in
      printer.print(filling.value)
      printer.print(" for ")
      printer.print(filling.field)
    }
  }

  private mutating func print(_ command: FilterIndexCommand) {
    print("filterIndex ")
    for (index, condition) in command.conditions.enumerated() {
      if index > 0 { print(" and ") }
      print(condition)
    }
  }

  private mutating func print(_ command: JSONCommand) {
    print("json ")
    if let field = command.field { print("field=\(Self.text(of: field)) ") }
    printSeparated(command.extractions) { printer, extraction in
      printer.print(extraction.path)
      printer.print(alias: extraction.alias)
    }
  }

  private mutating func print(_ command: LimitCommand) {
    let word = command.form == .any ? "limit any" : command.name
    print("\(word) \(command.count)")
  }

  private mutating func print(_ command: OutlierCommand) {
    print("outlier")
    if command.action != .transform { print(" action=\(command.action.rawValue)") }
    if command.factor != 2.5 { print(" param=\(command.factor)") }
    if command.usesLowerFence { print(" uselower=true") }
    if command.marks { print(" mark=true") }
    print(" ", command.fields)
  }

  private mutating func print(_ command: ParseCommand) {
    print("parse ")
    if let source = command.source {
      // A slash outside brackets would open the pattern, and a text would be taken for it.
      let isPlain = source.fieldName != nil || source.isCall
      print(isPlain ? Self.text(of: source) : "(\(Self.text(of: source)))")
      print(" ")
    }
    switch command.method {
    case .glob(let pattern, let aliases):
      print(pattern)
      print(aliases: aliases)
    case .regex(let pattern, let aliases, let isMulti):
      print(pattern)
      print(aliases: aliases)
      if isMulti { print(" multi") }
    case .logfmt(let alias): print("logfmt as \(Self.text(of: alias))")
    case .csv(let aliases):
      print("csv")
      print(aliases: aliases)
    }
  }

  private mutating func print(aliases: [FieldName]) {
    if !aliases.isEmpty { print(" as ", aliases) }
  }

  private mutating func print(_ command: RelevantfieldsCommand) {
    print("relevantfields ")
    if !command.fields.isEmpty { print("", command.fields + []) }
    print(command.fields.isEmpty ? "where " : " where ")
    print(command.condition)
  }

  private mutating func print(_ command: SessionizeCommand) {
    print("sessionize ", command.fields)
    if let maxspan = command.maxspan { print(" maxspan \(maxspan.text)") }
    print(alias: command.alias)
  }

  private mutating func print(_ command: SortCommand) {
    print("sort ")
    printSeparated(command.keys) { printer, key in
      printer.print(key.expression)
      if key.isDescending { printer.print(" desc") }
    }
  }

  private mutating func print(_ command: StatsCommand) {
    print("stats ", command.outputs)
    if !command.keys.isEmpty { print(" by ", command.keys) }
    if let offset = command.offset { print(" offset \(offset.text)") }
  }
}

// MARK: - Other queries and tables

extension QueryPrinter {
  private mutating func print(_ command: CidrlookupCommand) {
    print("cidrlookup \(Self.tableText(command.table)) ")
    print(command.addressField)
    print(alias: command.networkColumn)
    print(command.mode, command.outputs)
  }

  private mutating func print(_ command: LookupCommand) {
    print("lookup \(Self.tableText(command.table)) ")
    printSeparated(command.matches) { $0.print($1) }
    print(command.mode, command.outputs)
  }

  private mutating func print(_ mode: LookupMode, _ outputs: [LookupColumn]) {
    print(mode == .overwrite ? " OUTPUT " : " OUTPUTNEW ")
    printSeparated(outputs) { $0.print($1) }
  }

  private mutating func print(_ column: LookupColumn) {
    print(column.column)
    print(alias: column.alias)
  }

  private static func tableText(_ table: Identifier) -> String {
    let isPlain = table.text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "_"), UInt8(ascii: "-"): true
      default: false
      }
    }
    return isPlain && !table.text.isEmpty ? table.text : StringEscapes.quoted(table.text)
  }

  private mutating func print(_ command: JoinCommand) {
    print("join ")
    if command.type == .left { print("type=left ") }
    if let alias = command.leftAlias { print("left=\(alias.text) ") }
    if let alias = command.rightAlias { print("right=\(alias.text) ") }
    print("where ")
    print(command.firstKey)
    print(" = ")
    print(command.secondKey)
    print(" ")
    print(command.subquery)
  }

  private mutating func print(_ command: SavedQueryCall) {
    print("$" + Self.segmentText(command.name.text, isFirst: true) + "(")
    printSeparated(command.arguments) { printer, argument in
      printer.print("\(argument.name.text) = ")
      printer.print(argument.value)
    }
    print(")")
  }

  private mutating func print(_ command: SourceCommand) {
    print("SOURCE")
    for selector in command.selectors {
      print(" ")
      print(selector)
    }
    if let start = command.start { print(" START=\(Self.text(of: start))") }
    if let end = command.end { print(" END=\(Self.text(of: end))") }
  }

  private mutating func print(_ selector: SourceCommand.Selector) {
    switch selector {
    case .names(let names): print(Self.joined(names))
    case .logGroups(let groups): print("logGroups(\(Self.arguments(of: groups)))")
    case .logGroupTags(let filters):
      print("logGroupTags([\(filters.map(Self.text(of:)).joined(separator: ", "))])")
    case .dataSource(let names): print("dataSource([\(Self.joined(names))])")
    }
  }

  private static func joined(_ strings: [StringLiteral]) -> String {
    strings.map { StringEscapes.quoted($0.value) }.joined(separator: ", ")
  }

  private static func arguments(of groups: SourceCommand.LogGroupsSelector) -> String {
    [
      ("namePrefix", groups.namePrefixes), ("accountIdentifiers", groups.accountIdentifiers),
      ("class", groups.logGroupClasses),
    ]
    .filter { !$0.1.isEmpty }
    .map { "\($0.0): [\(joined($0.1))]" }
    .joined(separator: ", ")
  }

  private static func text(of filter: SourceCommand.TagFilter) -> String {
    let values = filter.values.isEmpty ? "" : ", values: [\(joined(filter.values))]"
    return "{key: \(StringEscapes.quoted(filter.key.value))\(values)}"
  }

  private static func text(of time: SourceCommand.Time) -> String {
    switch time {
    case .now: "now"
    case .relative(let duration, let isNegative): (isNegative ? "-" : "") + duration.text
    case .epoch(let number): number.text
    case .text(let literal): StringEscapes.quoted(literal.value)
    }
  }
}

extension Expression {
  fileprivate var isCall: Bool { if case .call = kind { true } else { false } }
}
