import Columnar
import LogStorage

// `sessionize`: the rows of one identity, taken in order of time, belong to one session as long as
// no two neighbours are further apart than the longest pause.
//
//     user a, pause 30m:  10:00  10:20  10:50  11:21      (31 minutes after 10:50)
//                         └──── a…-1 ────────┘ └ a…-2
//
// The id of a session is a hash of its identity and the number of the session. Eight digits of the
// hash tell identities apart, unless two of one answer share them: those two show all sixteen.

/// `sessionize` by some fields.
struct SessionizeStep: RowCollection {
  let fields: [SlotID]
  let time: SlotID
  let pause: Period
  let output: SlotID

  var name: String { "sessionize" }
  var inputs: [SlotID] { fields + [time] }
  var outputs: [SlotID] { [output] }

  func result(of rows: RowBatch?, layout: PlanLayout) throws -> [RowBatch] {
    guard let rows else { return [] }
    var frame = Frame(rows, layout: layout)
    let columns = try fields.map { try frame.column($0).scalars(layout).values() }
    let times = try frame.column(time).values()
    var sessions = Sessions(pause: pause)
    var places = [Sessions.Place?](repeating: nil, count: rows.rowCount)
    for row in Self.rowsByTime(times) {
      guard case .timestamp(let time) = times[row],
        let identity = Self.identity(columns.map { $0[row] })
      else { continue }
      places[row] = sessions.place(identity, at: time)
    }
    let names = sessions.names()
    var result = rows
    result.columns[output] = ColumnVector(
      places.map { place in
        place.map { .string("\(names[$0.identity])-\($0.ordinal)") } ?? .missing
      })
    return [result]
  }

  private static func rowsByTime(_ times: [Value]) -> [Int] {
    func key(_ row: Int) -> Int64 {
      if case .timestamp(let time) = times[row] { time } else { .min }
    }
    return times.indices.sorted { (key($0), $0) < (key($1), $1) }
  }

  /// What is equal for equal values; `nil` if one of them is missing.
  private static func identity(_ values: [Value]) -> [UInt8]? {
    var bytes: [UInt8] = []
    for value in values {
      if value.isMissing || value.isStructure { return nil }
      KeyIdentity.append(value, to: &bytes)
    }
    return bytes
  }
}

/// The sessions found so far.
private struct Sessions {
  struct Place {
    let identity: Int
    let ordinal: Int
  }

  private struct Latest {
    var time: Int64
    var ordinal: Int
  }

  private let pause: Period
  private var numbers: [[UInt8]: Int] = [:]
  private var latest: [Latest] = []

  init(pause: Period) { self.pause = pause }

  /// The session of the next row in order of time.
  mutating func place(_ identity: [UInt8], at time: Int64) -> Place {
    guard let number = numbers[identity] else {
      numbers[identity] = latest.count
      latest.append(Latest(time: time, ordinal: 1))
      return Place(identity: latest.count - 1, ordinal: 1)
    }
    if let end = pause.shift(latest[number].time, isNegative: false), end < time {
      latest[number].ordinal += 1
    }
    latest[number].time = time
    return Place(identity: number, ordinal: latest[number].ordinal)
  }

  /// The part of the ids that stands for each identity.
  func names() -> [String] {
    var digits = [String](repeating: "", count: latest.count)
    for (identity, number) in numbers {
      let hash = String(XXH64.hash(identity), radix: 16)
      digits[number] = String(repeating: "0", count: 16 - hash.utf8.count) + hash
    }
    var counts: [Substring: Int] = [:]
    for hash in digits { counts[hash.prefix(8), default: 0] += 1 }
    return digits.map { counts[$0.prefix(8)] == 1 ? String($0.prefix(8)) : $0 }
  }
}
