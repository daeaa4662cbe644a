/// Says on standard error which parts of a store an answer had to do without.
enum DamageReport {
  static func show(_ parts: [String]) {
    for part in parts {
      Terminal.say("varve: \(TextStyle.error.red("damaged:")) left out \(part)\n")
    }
  }
}
