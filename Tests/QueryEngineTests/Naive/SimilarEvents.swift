import TestSupport

// Events as services write them: a few texts over and over, with other numbers, ids, addresses and
// times in them, which other fields of the event often say again. A store keeps such columns as
// templates, references and forms of times; queries must not notice.

extension RandomQueries {
  /// `{n}` and `{m}` are numbers, `{w}` is a word, `{at}` a time in one of the usual forms, `{ms}`
  /// one in milliseconds; a name has one value throughout an event.
  private static let forms = [
    #"{"at":"{at}","a":{n},"b":"request {id} from {ip}:{m} took {n} ms","c":"{ip}","d":{"x":"{id}"},"e":[{n},{m}]}"#,
    #"{"a":{m},"b":"{w} user={n} path=\"/v1/{w}/{m}?x={n}\" at {at}","c":{n}.5,"d.x":"{w}-{m}"}"#,
    #"{"c":"{at}","b":"a {n} of {m}: {w} at {at}","d":{"x":{m},"y":[1,"z{n}"]},"e":"[{n},{m}]"}"#,
    #"{"c":"{id}","a":"{n}","b":"a{n}: order {id} of 00{m} cost -{n}.{m} é\nline {m}"}"#,
    #"{"d":{"x":"{n}.50","y":{ms}},"a":{ms},"b":"b{m} 😀 {hex} <- {hex2}","c":"say \"{n}\" {w}"}"#,
    #"{"b":"plain {w}, {w}","a":true,"c":{m},"e":{"s":"{id}","t":{"u":{n}}}}"#,
    #"{"a":"{w}","b":"{hex}{hex2}","c":"{hex}","d":"x {hex} y {n}","e":["{ip}",{"t":"{ip} {n}"}]}"#,
    #"{"b":"odd \u0001 {n} took {m} ms for {id} x","c":"k=v a={n}","a":{n}.{m},"d.x":{ms}}"#,
    "{at} {w} worker-{n} took {m} ms for {id} x",
    "a took {n} ms for {ip} of {hex}: 0{m} k={w}",
  ]

  /// Events a minute apart, the first at ten o'clock of 2 March 2026.
  mutating func similarEvents(_ count: Int) -> [String] {
    let forms = (0..<Int.random(in: 1...3, using: &random)).map { _ in pick(Self.forms) }
    let rest = pick([0, 0, 20, 5])
    let zone = pick(["Z", ".250Z", ".123456+01:00", ",5", ""])
    let lateness = pick([0, 0, 7])
    let events = (0..<count).map { minute in
      rest > 0 && chance(1, in: rest)
        ? event() : similarEvent(pick(forms), minute: minute, zone, lateness: lateness)
    }
    fragments = (0..<24).map { _ in fragment(of: pick(events)) }
    return events
  }

  private mutating func similarEvent(
    _ form: String, minute: Int, _ zone: String, lateness: Int
  ) -> String {
    let late = Int.random(in: 0...lateness, using: &random)
    let id = hex(8)
    var values: [String: String] = [
      "n": "\(Int.random(in: 0...40, using: &random))",
      "m": "\(Int.random(in: 100...999, using: &random))",
      "w": pick(["info", "a", "b2", "timeout", "x-y", "A"]),
      "id": pick(["\(id)-12ab-4bcd-8ef0-\(hex(12))", "\(id)-12ab-4bcd-8ef0-0123456789ab"]),
      "ip":
        "10.0.\(Int.random(in: 0...9, using: &random)).\(Int.random(in: 0...255, using: &random))",
      "hex": hex(16), "hex2": id,
      "ms": "\(1_772_445_600_000 + minute * 60_000 + late)",
    ]
    let (hour, rest) = (10 + minute / 60, minute % 60)
    values["at"] =
      "2026-03-02\(zone == "" ? " " : "T")\(two(hour)):\(two(rest)):\(two(late))\(zone)"
    var text = ""
    var rest2 = Substring(form)
    while let open = rest2.firstIndex(of: "{") {
      text += rest2[..<open]
      rest2 = rest2[open...]
      let name = rest2.dropFirst().prefix { $0.isLetter || $0.isNumber }
      if rest2.dropFirst(name.count + 1).first == "}", let value = values[String(name)] {
        // Now and then a place says something of its own, so that it refers to no other.
        text += chance(1, in: 400) ? "9\(value)" : value
        rest2 = rest2.dropFirst(name.count + 2)
      } else {
        text += "{"
        rest2.removeFirst()
      }
    }
    return text + rest2
  }

  private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  private mutating func hex(_ count: Int) -> String {
    String((0..<count).map { _ in pick(Array("0123456789abcdef")) })
  }

  /// A piece of an event, without the signs that mean something in texts or globs.
  private mutating func fragment(of event: String) -> String {
    let stretches = event.split { "\\\"'*\n".contains($0) }
    guard !stretches.isEmpty else { return "a" }
    let stretch = Array(pick(stretches))
    let start = chance(1, in: 3) ? 0 : Int.random(in: 0..<stretch.count, using: &random)
    let length = chance(1, in: 3) ? stretch.count : Int.random(in: 1...9, using: &random)
    return String(stretch[start..<min(start + length, stretch.count)])
  }

  /// A regular expression that looks for a piece of an event.
  mutating func fragmentPattern() -> String {
    var pattern = ""
    for character in pick(fragments) {
      if character.isASCII, !character.isLetter, !character.isNumber, character != " " {
        pattern += "\\"
      }
      pattern.append(character)
    }
    return switch Int.random(in: 0..<6, using: &random) {
    case 0: "/^\(pattern)/"
    case 1: "/\(pattern)$/"
    case 2: "/(?i)\(pattern)/"
    case 3: "/\(pattern)|\(pick(["took", "b2", "x"])) [0-9]/"
    case 4: "/\(pattern).*[0-9]+/"
    default: "/\(pattern)/"
    }
  }

  /// A `parse` that cuts at pieces of an event.
  mutating func fragmentExtraction() -> String {
    let (one, two) = (pick(fragments), pick(fragments))
    return pick([
      "parse '\(one)*' as g", "parse @message '*\(one)*' as g, h", "parse b '\(one)*' as g",
      "parse b '* took * ms' as g, h", "parse @message '*took * ms*' as g, h, i",
      "parse b '*\(one)*\(two)*' as g, h, i", "parse @message '*at\":\"*\",*' as g, h, i",
      "parse @message /took (?<g>\\d+) ms(?: for (?<h>\\S+))?/",
      "parse b /(?<g>[0-9a-f]{8})-(?<h>[0-9a-f]{4})/", "parse d.x '*-*' as g, h",
      "parse b /(?<g>\\d+\\.\\d+\\.\\d+\\.\\d+):(?<h>\\d+)/", "parse c '*:*:*' as g, h, i",
    ])
  }
}
