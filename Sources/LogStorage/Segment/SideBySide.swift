import Columnar
import Synchronization

// Few records, as a search for an id or the latest hundred events want them, mostly lie in one row group: there is nothing for a
// second worker but the columns of that row group. A record of a thousand keys has hundreds of them, and decoding
// those takes far longer than all else. So two threads draw columns, each with a decoder of its own; what the second one
// has decoded, the first one takes over. They draw in the order of the file, in which the bytes come from a slow disk.
//
//     columns            message 90 K   path 60 K   latency 30 K   agent 25 K   …
//     this thread        ids and times ··· path ············ agent ··· …
//     the second one     message ················ latency ······ …
//
// Columns of ids and of times come first and stay on one thread: they share a pool of ids and the times of all rows, which two
// decoders would decode twice.

/// Decodes columns for few records on two threads.
struct SideBySide {
  let decoder: RowGroupDecoder

  init(_ decoder: RowGroupDecoder) { self.decoder = decoder }

  /// Stored bytes from which a second thread is worth its start.
  private static let leastByteCount = 64 << 10

  /// The texts of values of some columns.
  ///
  /// - Throws: `StorageError` if a column is damaged, `DecodingFailure` if a part of one is.
  func texts(of wanted: [WantedValues]) throws -> [TextRun] {
    let order = drawingOrder(wanted)
    guard !order.shared.isEmpty else {
      return try wanted.map { try Self.texts(of: $0, in: decoder) }
    }
    // Columns of times ask for the shape of each row too; here both find it decoded.
    _ = try decoder.shapeCodes()
    let aside = decoder.aside()
    let draw = Draw(count: wanted.count)
    defer { decoder.adopt(aside) }
    try Workers.run(2) { [decoder] worker in
      let own = worker == 0 ? decoder : aside
      if worker == 0 {
        for place in order.first { draw.put(try Self.texts(of: wanted[place], in: own), place) }
      }
      while let next = draw.next(below: order.shared.count) {
        let place = order.shared[next]
        draw.put(try Self.texts(of: wanted[place], in: own), place)
      }
    }
    return draw.results()
  }

  /// Which columns the first thread begins with, and which both draw from; none to draw if one thread does it.
  private func drawingOrder(_ wanted: [WantedValues]) -> (first: [Int], shared: [Int]) {
    let chunks = decoder.handle.table.chunks
    var (first, shared, byteCount): ([Int], [Int], Int) = ([], [], 0)
    for (place, values) in wanted.enumerated() {
      let chunk = chunks[values.column]
      switch chunk.encoding {
      case _ where decoder.hasColumn(values.column): first.append(place)
      case .identifier, .timestampText, .timestampNumber: first.append(place)
      default:
        shared.append(place)
        byteCount += chunk.length
      }
    }
    // What is traced is told in the order of the columns.
    guard decoder.trace == nil, byteCount >= Self.leastByteCount, Workers.available > 1 else {
      return (Array(wanted.indices), [])
    }
    return (first, shared)
  }

  private static func texts(
    of wanted: WantedValues, in decoder: RowGroupDecoder
  ) throws -> TextRun {
    let data = try decoder.columnData(wanted.column)
    var run = TextRun(offsets: [0], bytes: [])
    run.offsets.reserveCapacity(wanted.positions.count + 1)
    for position in wanted.positions {
      try data.appendText(position, to: &run.bytes)
      run.offsets.append(UInt32(run.bytes.count))
    }
    return run
  }

  /// What the two threads share.
  private final class Draw: Sendable {
    private let cursor = Atomic<Int>(0)
    private let found: Mutex<[TextRun]>

    init(count: Int) {
      found = Mutex(Array(repeating: TextRun(offsets: [0], bytes: []), count: count))
    }

    func next(below count: Int) -> Int? {
      let next = cursor.add(1, ordering: .relaxed).oldValue
      return next < count ? next : nil
    }

    func put(_ texts: TextRun, _ place: Int) { found.withLock { $0[place] = texts } }

    func results() -> [TextRun] { found.withLock { $0 } }
  }
}
