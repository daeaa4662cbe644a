// A column whose rows lie in several vectors, for sorts that hold many batches. Numbers, dictionaries and
// single values are put together, which is cheap; texts stay in the vectors they came in, for putting
// them together would hold all of them twice, and one vector holds no more than 4 GiB.
//
//     chunks   [a b c] [d e]          starts 0 3
//     rows     4 0 3           →      e a d

/// Rows of several vectors, one vector after the other.
package struct ChunkedColumn: Sendable {
  private enum Form {
    case whole(ColumnVector)
    /// Texts, and the number of the first row of each vector.
    case texts([StringVector], starts: [Int])
  }

  private let form: Form

  /// The rows of all parts, one part after the other.
  ///
  /// - Complexity: O(rows); the bytes of texts are not copied.
  package init(_ parts: [ColumnVector]) {
    let parts = parts.filter { $0.count > 0 }
    guard parts.count > 1, let chunks = Self.texts(parts) else {
      form = .whole(.concatenate(parts))
      return
    }
    var starts: [Int] = []
    var next = 0
    for chunk in chunks {
      starts.append(next)
      next += chunk.count
    }
    form = .texts(chunks, starts: starts)
  }

  /// The parts as texts, if all of them are texts or have no values.
  private static func texts(_ parts: [ColumnVector]) -> [StringVector]? {
    var texts: [StringVector] = []
    for part in parts {
      switch part {
      case .strings(let vector): texts.append(vector)
      case .missing(let count):
        texts.append(
          StringVector(
            offsets: [UInt32](repeating: 0, count: count + 1),
            validity: Bitmap(repeating: false, count: count)))
      default: return nil
      }
    }
    return texts
  }

  /// The given rows, in the given order.
  ///
  /// - Precondition: every row is one of the column; their texts have less than 4 GiB.
  /// - Complexity: O(rows · log parts + bytes of their texts)
  package func gather(_ rows: SelectionVector) -> ColumnVector {
    switch form {
    case .whole(let vector): vector.gather(rows)
    case .texts(let chunks, let starts): .strings(Self.gather(rows, of: chunks, starts))
    }
  }

  private static func gather(
    _ rows: SelectionVector, of chunks: [StringVector], _ starts: [Int]
  ) -> StringVector {
    var places: [(chunk: Int, row: Int)] = []
    places.reserveCapacity(rows.count)
    var offsets: [UInt32] = [0]
    offsets.reserveCapacity(rows.count + 1)
    var total = 0
    for row in rows {
      let place = place(of: Int(row), in: starts)
      places.append(place)
      total += chunks[place.chunk].range(place.row).count
      precondition(total <= UInt32.max, "more than 4 GiB of text in one vector")
      offsets.append(UInt32(truncatingIfNeeded: total))
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(total)
    for place in places {
      bytes += chunks[place.chunk].bytes[chunks[place.chunk].range(place.row)]
    }
    let validity: Bitmap? =
      chunks.allSatisfy { $0.validity == nil }
      ? nil
      : Bitmap(count: places.count) { index in
        chunks[places[index].chunk].validity?[places[index].row] ?? true
      }
    return StringVector(
      offsets: offsets, bytes: bytes, validity: validity?.isFull == true ? nil : validity)
  }

  /// The vector a row lies in, by bisection: the last one that starts at or before it.
  private static func place(of row: Int, in starts: [Int]) -> (chunk: Int, row: Int) {
    var low = 0
    var high = starts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= row { low = middle } else { high = middle }
    }
    return (low, row - starts[low])
  }
}
