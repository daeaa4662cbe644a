/// Lets the options that every command takes stand before the command's name as well:
/// `varve --store D query …` means `varve query --store D …`.
enum ArgumentOrder {
  private static let withValue: Set<String> = ["--store", "--output", "-o"]
  private static let flags: Set<String> = ["--quiet", "-q"]
  /// Commands whose own subcommand must come before the options.
  private static let nesting: Set<String> = ["retention"]

  static func arranged(_ arguments: [String]) -> [String] {
    let (options, rest) = leadingOptions(arguments[...])
    guard let command = rest.first, !command.hasPrefix("-") else { return arguments }
    guard nesting.contains(command) else { return [command] + options + rest.dropFirst() }
    let (inner, innermost) = leadingOptions(rest.dropFirst())
    guard let action = innermost.first, !action.hasPrefix("-") else { return arguments }
    return [command, action] + options + inner + innermost.dropFirst()
  }

  private static func leadingOptions(
    _ arguments: ArraySlice<String>
  ) -> (options: [String], rest: ArraySlice<String>) {
    var (options, rest): ([String], _) = ([], arguments)
    while let next = rest.first {
      if withValue.contains(next), rest.count >= 2 {
        options += rest.prefix(2)
        rest = rest.dropFirst(2)
      } else if flags.contains(next) || withValue.contains(where: { next.hasPrefix($0 + "=") }) {
        options.append(next)
        rest = rest.dropFirst()
      } else {
        break
      }
    }
    return (options, rest)
  }
}
