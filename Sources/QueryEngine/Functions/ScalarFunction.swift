package import Columnar
import QueryLanguage
import Synchronization

/// What a function may ask about the query it runs in.
package struct FunctionContext: Sendable {
  /// One value for the whole query, ms since 1970.
  package var now: Int64
  /// The query's window, ms; `nil` when it has no bounds.
  package var window: ClosedRange<Int64>?
  /// Where the query has the call that is evaluated.
  var place = SourceRange.none
  /// Takes the searches that are given up.
  var givenUp = GivenUpSearches()

  package init(now: Int64, window: ClosedRange<Int64>?) {
    self.now = now
    self.window = window
  }
}

/// Searches with computed regular expressions that took too many steps. Expressions that are known
/// beforehand count theirs themselves.
final class GivenUpSearches: Sendable {
  struct Pattern: Hashable, Sendable {
    let text: String
    let place: SourceRange
  }

  private let counts = Mutex<[Pattern: Int]>([:])

  /// Notes that a search was given up for so many texts.
  func note(_ pattern: String, _ count: Int, at place: SourceRange) {
    guard count > 0 else { return }
    counts.withLock { $0[Pattern(text: pattern, place: place), default: 0] += count }
  }

  /// What there is to say, in the order of the patterns.
  var warnings: [Diagnostic] {
    counts.withLock { $0 }
      .sorted { a, b in
        (a.key.place.start, a.key.text) < (b.key.place.start, b.key.text)
      }
      .map { AnalyzerDiagnostics.regexStepLimit($0.key.text, count: $0.value, at: $0.key.place) }
  }
}

/// What a literal argument must be, for messages about slips that show before the first row.
package struct ArgumentProblem: Error, Sendable, Hashable {
  /// Position from 0.
  package let argument: Int
  /// The diagnostic it becomes.
  package enum Kind: Sendable, Hashable {
    /// The argument must be this (E402).
    case mustBe(String)
    /// This is no date letter, format code or zone (E403).
    case unsupportedDateCode(String)
    /// This is no regular expression, for this reason (E105).
    case badRegex(String)
  }
  package let kind: Kind
}

/// A function of one row: its place in the catalogue and its code.
package struct ScalarFunction: Sendable {
  /// Computes one value from the arguments of one row.
  package typealias Evaluation = @Sendable ([Value], FunctionContext) -> Value

  package let name: String
  package let aliases: [String]
  package let category: FunctionCategory
  package let parameters: [FunctionParameter]
  /// What comes out, in a word: `number`, `string`, `list` ….
  package let result: String
  /// One line of help.
  package let summary: String
  /// An expression that shows it at work, without any field.
  package let example: String
  let evaluate: Evaluation
  /// Looks at the arguments that are literals (`nil` for others), says what is wrong with them, and may return a faster
  /// evaluation for this call.
  let prepare: @Sendable ([Value?]) throws(ArgumentProblem) -> Evaluation?

  /// Whether the result may be a map or a list.
  package var mayReturnStructure: Bool { ["list", "map", "any", "map or list"].contains(result) }

  /// Fewest and most arguments; `nil` means any number more.
  package var argumentCounts: (least: Int, most: Int?) {
    (
      parameters.filter { !$0.isOptional }.count,
      parameters.contains(where: \.isRepeated) ? nil : parameters.count
    )
  }

  /// `substr(s, i [, n])`.
  package var signature: String {
    var text = ""
    for (index, parameter) in parameters.enumerated() {
      let name = parameter.name + (parameter.isRepeated ? ", …" : "")
      text +=
        parameter.isOptional
        ? "\(index == 0 ? "" : " ")[\(index == 0 ? "" : ", ")\(name)]"
        : "\(index == 0 ? "" : ", ")\(name)"
    }
    return "\(name)(\(text))"
  }

  init(
    _ name: String, aliases: [String] = [], _ category: FunctionCategory,
    _ parameters: [FunctionParameter], _ result: String, _ summary: String, example: String,
    prepare: @escaping @Sendable ([Value?]) throws(ArgumentProblem) -> Evaluation? = { _ in nil },
    evaluate: @escaping Evaluation
  ) {
    self.name = name
    self.aliases = aliases
    self.category = category
    self.parameters = parameters
    self.result = result
    self.summary = summary
    self.example = example
    self.prepare = prepare
    self.evaluate = evaluate
  }
}

/// The groups of the manual.
package enum FunctionCategory: String, Sendable, CaseIterable {
  case numeric = "Numbers"
  case time = "Dates and times"
  case general = "General"
  case json = "JSON"
  case address = "IP addresses"
  case string = "Text"
  case hash = "Hashes"
  case privacy = "Privacy"
  case aggregate = "Aggregates"
  case order = "Order"
  case series = "Time series"
}

/// One argument of a function.
package struct FunctionParameter: Sendable, Hashable {
  package let name: String
  package let isOptional: Bool
  /// May stand any number of times; the last parameter only.
  package let isRepeated: Bool

  static func one(_ name: String) -> FunctionParameter { .init(name, false, false) }
  static func optional(_ name: String) -> FunctionParameter { .init(name, true, false) }
  static func repeated(_ name: String) -> FunctionParameter { .init(name, false, true) }

  private init(_ name: String, _ isOptional: Bool, _ isRepeated: Bool) {
    self.name = name
    self.isOptional = isOptional
    self.isRepeated = isRepeated
  }
}

/// A call as far as it is known before the first row.
struct PreparedCall: Sendable {
  let evaluate: ScalarFunction.Evaluation
}

extension ScalarFunction {
  /// Prepares a call.
  ///
  /// - Parameter literals: the value of each argument that is a literal.
  func prepared(literals: [Value?]) throws(ArgumentProblem) -> PreparedCall {
    PreparedCall(evaluate: try prepare(literals) ?? evaluate)
  }
}

extension BoundCall {
  /// Rows whose arguments are values of their own at a time.
  private static let rowsPerStep = 4_096

  /// Evaluates the call for the rows of a batch.
  ///
  /// Once for constants, once per distinct value where one argument is a dictionary and the others are
  /// constants, else row by row.
  ///
  /// - Throws: ``Stopped``.
  func evaluate(
    _ arguments: [ColumnVector], rowCount: Int, context: FunctionContext
  ) throws -> ColumnVector {
    var context = context
    context.place = place
    let constants = arguments.map(\.constantValue)
    if constants.allSatisfy({ $0 != nil }) {
      let value = prepared.evaluate(constants.map { $0! }, context)
      return value.isMissing ? .missing(count: rowCount) : .constant(value, count: rowCount)
    }
    if let varying = constants.firstIndex(of: nil),
      constants[(varying + 1)...].allSatisfy({ $0 != nil }),
      case .dictionary(let dictionary) = arguments[varying]
    {
      return try evaluate(dictionary, at: varying, constants: constants, context: context)
    }
    var row = [Value](repeating: .missing, count: arguments.count)
    var results: [Value] = []
    results.reserveCapacity(rowCount)
    for start in stride(from: 0, to: rowCount, by: Self.rowsPerStep) {
      try StopPoint.check()
      let rows = start..<min(start + Self.rowsPerStep, rowCount)
      let columns = arguments.map { $0.slice(rows).values() }
      for index in 0..<rows.count {
        for column in columns.indices { row[column] = columns[column][index] }
        results.append(prepared.evaluate(row, context))
      }
    }
    return ColumnVector(results)
  }

  private func evaluate(
    _ dictionary: DictionaryVector, at varying: Int, constants: [Value?],
    context: FunctionContext
  ) throws -> ColumnVector {
    var arguments = constants.map { $0 ?? .missing }
    let entries = dictionary.entries.values() + [.missing]
    var results: [Value] = []
    // The code of each old code's result; the last is the result for missing rows.
    var codeOf: [Int?] = []
    var stop = StopCounter(every: 1_024)
    for entry in entries {
      try stop.check()
      arguments[varying] = entry
      let value = prepared.evaluate(arguments, context)
      codeOf.append(value.isMissing ? nil : results.count)
      if !value.isMissing { results.append(value) }
    }
    let missing = results.count
    let map = codeOf.map { UInt16($0 ?? missing) }
    let last = entries.count - 1
    return .dictionary(
      DictionaryVector(
        codes: dictionary.codes.map { map[min(Int($0), last)] },
        entries: results.isEmpty ? .missing(count: 0) : ColumnVector(results)))
  }
}

extension ColumnVector {
  /// The value of all rows when the vector says that they have one.
  fileprivate var constantValue: Value? {
    switch self {
    case .constant(let value, _): value
    case .missing: .missing
    default: nil
    }
  }
}
