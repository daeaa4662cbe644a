import Columnar
import QueryLanguage

@testable import QueryEngine

// The commands that end a segment, and `parse`.

extension NaiveEvaluator {
  mutating func runBarrier(_ command: Command.Kind) throws {
    switch command {
    case .dedup(let dedup):
      var seen: Set<[String]> = []
      rows = rows.filter { row in
        let key = dedup.fields.map { row.field($0).scalar.key }
        return key.contains(nil) || seen.insert(key.compactMap(\.self)).inserted
      }
    case .accum(let accum): addUp(accum)
    case .autoregress(let autoregress): lookBack(autoregress)
    case .filldown(let filldown): try fillDown(filldown)
    case .unnest(let unnest):
      rows = try rows.flatMap { row in
        let value = try Self.value(unnest.expression, row)
        return Self.elements(value).map { element in
          var copy = row
          copy.made[unnest.alias.name] = element
          return copy
        }
      }
      make(unnest.alias.name)
    case .expand(let expand):
      self.expand(expand.field)
      make(expand.field.name)
    case .countFrequent(let command): countFrequent(command.fields)
    default: throw NaiveRefusal(description: command.name)
    }
  }

  private static func elements(_ value: NaiveValue) -> [NaiveValue] {
    if case .list(let list) = value { return list }
    return [value]
  }

  private mutating func addUp(_ command: AccumCommand) {
    let name = (command.alias ?? command.field).name
    var numbers: [NaiveNumber] = []
    for index in rows.indices {
      guard let number = rows[index].field(command.field).number else {
        rows[index].made[name] = .missing
        continue
      }
      numbers.append(number)
      rows[index].made[name] = Self.sum(numbers)
    }
    make(name)
  }

  private mutating func lookBack(_ command: AutoregressCommand) {
    let values = rows.map { $0.field(command.field) }
    for lag in command.lags {
      let name = command.alias?.name ?? "\(command.field.name)_p\(lag)"
      for index in rows.indices {
        rows[index].made[name] = index < lag ? .missing : values[index - lag]
      }
      make(name)
    }
  }

  private mutating func fillDown(_ command: FilldownCommand) throws {
    for pattern in command.fields {
      guard !pattern.hasWildcard, let name = pattern.pieces.first else {
        throw NaiveRefusal(description: "filldown with a wildcard")
      }
      var last = NaiveValue.missing
      for index in rows.indices {
        let value = rows[index].field(name.split(separator: ".").map(String.init))
        if value.isMissing || value.text == "" {
          if !last.isMissing { rows[index].made[name] = last }
        } else {
          last = value
        }
      }
    }
  }

  private mutating func expand(_ field: FieldName) {
    rows = rows.flatMap { row in
      var value = row.field(field)
      if case .text(let text) = value, text.hasPrefix("["), text.hasSuffix("]") {
        value = NaiveJSON.parse(text)
      }
      guard case .list(let list) = value else { return [row] }
      return (list.isEmpty ? [.missing] : list).map { element in
        var copy = row
        copy.made[field.name] = element
        copy.expanded.insert(field.name)
        return copy
      }
    }
  }

  private mutating func countFrequent(_ fields: [FieldName]) {
    var groups: [(keys: [NaiveValue], count: Int64)] = []
    var places: [[String?]: Int] = [:]
    for row in rows {
      let keys = fields.map { row.field($0).scalar }
      if let place = places[keys.map(\.key)] {
        groups[place].count += 1
        for index in keys.indices where keys[index].outranks(groups[place].keys[index]) {
          groups[place].keys[index] = keys[index]
        }
      } else {
        places[keys.map(\.key)] = groups.count
        groups.append((keys, 1))
      }
    }
    groups.sort { a, b in
      if a.count != b.count { return a.count > b.count }
      return NaiveValue.precedes(a.keys, b.keys)
    }
    rows = groups.map { group in
      var row = NaiveRow(isEvent: false)
      for (field, value) in zip(fields, group.keys) { row.made[field.name] = value }
      row.made["_approxcount"] = .integer(group.count)
      return row
    }
    startAfresh(fields.map(\.name) + ["_approxcount"])
  }

  // MARK: parse

  mutating func extract(_ parse: ParseCommand) throws {
    let names: [String]
    let find: (String) -> [String?]?
    switch parse.method {
    case .glob(let pattern, let aliases):
      names = aliases.map(\.name)
      find = { Self.glob(pattern.value, in: $0) }
    case .regex(let literal, let aliases, isMulti: false):
      let regex = try CompiledRegex(literal.pattern)
      var unused = aliases.map(\.name)
      names = regex.captureNames.map { $0 ?? (unused.isEmpty ? "" : unused.removeFirst()) }
      find = { Self.first(regex, in: $0) }
    default: throw NaiveRefusal(description: "parse in another mode")
    }
    for index in rows.indices {
      let text =
        try parse.source.map { try Self.value($0, rows[index]).text } ?? rows[index].message
      let found = text.flatMap(find)
      for (place, name) in names.enumerated() {
        rows[index].made[name] = found?[place].map { .text($0) } ?? .missing
      }
    }
    for name in names { make(name) }
  }

  private static func first(_ regex: CompiledRegex, in text: String) -> [String?]? {
    let bytes = Array(text.utf8)
    return (regex.allMatches(in: bytes) ?? []).first?.dropFirst().map { range in
      range.map { String(decoding: bytes[$0], as: UTF8.self) }
    }
  }

  /// The literal parts one after the other, each at its first place; the last star takes the rest.
  private static func glob(_ pattern: String, in text: String) -> [String?]? {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false).map {
      Array($0.utf8)
    }
    var rest = Array(text.utf8)[...]
    var captures: [String?] = []
    for (index, part) in parts.enumerated() {
      var place = rest.startIndex
      if index == parts.count - 1, part.isEmpty {
        place = rest.endIndex
      } else {
        while !rest[place...].starts(with: part) {
          if place == rest.endIndex { return nil }
          place += 1
        }
      }
      if index > 0 { captures.append(String(decoding: rest[..<place], as: UTF8.self)) }
      rest = rest[(place + part.count)...]
    }
    return captures
  }
}
