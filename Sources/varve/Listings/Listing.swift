import Columnar

/// A small table that a command prints about the store itself, in any of the forms of a result.
struct Listing {
  /// What the numbers of a column mean, so that people read sizes and programs read bytes.
  enum Kind {
    case text, count, bytes, time, share
  }

  private let columns: [(name: String, kind: Kind)]
  private var rows: [[Value]] = []

  init(_ columns: (name: String, kind: Kind)...) { self.columns = columns }

  /// - Precondition: one value per column.
  mutating func add(_ values: Value...) {
    precondition(values.count == columns.count, "a row needs one value per column")
    rows.append(values)
  }

  var isEmpty: Bool { rows.isEmpty }

  /// Prints the rows as `format` asks.
  func print(as format: OutputFormat) throws {
    guard format != .raw else {
      throw CommandFailure.usage("--output raw prints events; choose another output for a listing")
    }
    let isForPeople = [.table, .vertical, .markdown].contains(format)
    let names = columns.map(\.name)
    var writer = try ResultWriter(format: format, columns: names)
    let vectors = columns.indices.map { index -> ColumnVector in
      let values = rows.map { $0[index] }
      return .values(isForPeople ? readable(values, columns[index].kind) : values)
    }
    if !rows.isEmpty {
      try writer.write(ColumnBatch(names: names, columns: vectors, rowCount: rows.count))
    }
    try writer.finish()
  }

  private func readable(_ values: [Value], _ kind: Kind) -> [Value] {
    let texts = values.map { value -> String? in
      switch (kind, value) {
      case (.count, .integer(let number)): HumanUnits.count(Int(number))
      case (.bytes, .integer(let number)): HumanUnits.bytes(Int(number))
      case (.share, .double(let share)): HumanUnits.percent(share)
      default: nil
      }
    }
    // Numbers with units are texts by now: they still stand to the right, one below the other.
    let widest = texts.compactMap { $0?.utf8.count }.max() ?? 0
    return zip(values, texts).map { value, text in
      guard let text else { return value }
      return .string(String(repeating: " ", count: widest - text.utf8.count) + text)
    }
  }
}

extension Value {
  /// A number, or nothing.
  init(_ number: Int?) { self = number.map { .integer(Int64($0)) } ?? .missing }
  init(_ number: UInt64) { self = .integer(Int64(clamping: number)) }
  /// A time, or nothing.
  init(time: Int64?) { self = time.map { .timestamp($0) } ?? .missing }
}
