import QueryLanguage

/// How many columns of a terminal a cell takes, and how it is cut to fewer.
enum CellWidth {
  /// Columns of UTF-8 text without control characters.
  static func of(_ text: ArraySlice<UInt8>) -> Int {
    if text.allSatisfy({ $0 < 0x80 }) { return text.count }
    return DisplayWidth.columns(of: String(decoding: text, as: UTF8.self))
  }

  static func of(_ text: String) -> Int { DisplayWidth.columns(of: text) }

  /// The longest beginning of `text` that takes at most `columns`, with `…` at its end if anything
  /// was cut.
  static func cut(_ text: ArraySlice<UInt8>, to columns: Int) -> String {
    let whole = String(decoding: text, as: UTF8.self)
    guard of(text) > columns else { return whole }
    var (kept, used) = ("", 0)
    for character in whole {
      let width = DisplayWidth.columns(of: character)
      guard used + width <= columns - 1 else { break }
      kept.append(character)
      used += width
    }
    return kept + "…"
  }
}
