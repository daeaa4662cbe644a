import Columnar

/// Functions of values of any type. The conditional ones (`if`, `case`, `coalesce`, `ispresent`) are part of the
/// expression language, which evaluates only the branch that counts; their entries here serve help and constants.
enum GeneralFunctions {
  static let all: [ScalarFunction] = [
    ScalarFunction(
      "ispresent", .general, [.one("f")], "boolean", "Whether the field has a value.",
      example: "ispresent('')"
    ) { arguments, _ in .boolean(!arguments[0].isMissing) },
    ScalarFunction(
      "coalesce", .general, [.repeated("a")], "any", "The first argument that has a value.",
      example: "coalesce(null, 'b', 'c')"
    ) { arguments, _ in arguments.first { !$0.isMissing } ?? .missing },
    ScalarFunction(
      "case", .general, [.one("condition"), .one("value"), .repeated("more")], "any",
      "The value behind the first true condition, else a last value standing alone.",
      example: "case(1 > 2, 'a', 2 > 1, 'b', 'c')"
    ) { arguments, _ in
      for i in stride(from: 0, to: arguments.count - 1, by: 2) where arguments[i].truth {
        return arguments[i + 1]
      }
      return arguments.count % 2 == 1 ? arguments[arguments.count - 1] : .missing
    },
    ScalarFunction(
      "if", .general, [.one("condition"), .one("a"), .one("b")], "any",
      "The second argument if the first is true, else the third.", example: "if(2 > 1, 'yes', 'no')"
    ) { arguments, _ in arguments[0].truth ? arguments[1] : arguments[2] },
    ScalarFunction(
      "isNumeric", .general, [.one("f")], "boolean",
      "Whether the value is a number or reads as one.",
      example: "isNumeric('1e3')"
    ) { arguments, _ in .boolean(arguments[0].number != nil) },
    ScalarFunction(
      "messageSize", .general, [.one("f")], "number", "Bytes of the value's text in UTF-8.",
      example: "messageSize('café')"
    ) { arguments, _ in arguments[0].text.map { .integer(Int64($0.utf8.count)) } ?? .missing },
    ScalarFunction(
      "queryStartTime", .general, [], "number", "Start of the query's window, epoch ms.",
      example: "queryStartTime()"
    ) { _, context in context.window.map { .integer($0.lowerBound) } ?? .missing },
    ScalarFunction(
      "queryEndTime", .general, [], "number", "End of the query's window, epoch ms.",
      example: "queryEndTime()"
    ) { _, context in context.window.map { .integer($0.upperBound) } ?? .missing },
    ScalarFunction(
      "queryTimeRange", .general, [], "number", "Length of the query's window in ms.",
      example: "queryTimeRange()"
    ) { _, context in
      guard let window = context.window else { return .missing }
      let (length, overflow) = window.upperBound.subtractingReportingOverflow(window.lowerBound)
      return overflow ? .missing : .integer(length)
    },
    ScalarFunction(
      "unmask", .privacy, [.one("f")], "any",
      "The text behind a mask; where nothing is masked, the value.",
      example: "unmask('a')"
    ) { arguments, _ in arguments[0] },
  ]
}
