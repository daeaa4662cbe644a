extension ColumnVector {
  /// A row number that ``gatherOrMissing(_:)`` turns into a missing row.
  package static let missingRow: UInt32 = .max

  /// The given rows, in the given order; rows may repeat.
  ///
  /// Codes of a dictionary are gathered, its entries are shared.
  ///
  /// - Precondition: every row is below `count`.
  /// - Complexity: O(rows + bytes of their texts)
  package func gather(_ rows: SelectionVector) -> ColumnVector {
    gather(rows, mayMiss: false)
  }

  /// The given rows, where ``missingRow`` makes a row without a value (an outer join's).
  ///
  /// - Precondition: every other row is below `count`.
  package func gatherOrMissing(_ rows: SelectionVector) -> ColumnVector {
    gather(rows, mayMiss: rows.contains(Self.missingRow))
  }

  /// The rows whose bit is set, in their order; the vector itself when all are.
  ///
  /// - Precondition: the bitmap has one bit per row.
  package func compress(_ kept: Bitmap) -> ColumnVector {
    precondition(kept.count == count, "a bitmap of another length")
    return kept.isFull ? self : gather(kept.setRows())
  }

  /// The rows of a range.
  package func slice(_ range: Range<Int>) -> ColumnVector {
    if range == 0..<count { return self }
    return gather(range.map { UInt32(truncatingIfNeeded: $0) })
  }

  private func gather(_ rows: SelectionVector, mayMiss: Bool) -> ColumnVector {
    switch self {
    case .missing:
      return .missing(count: rows.count)
    case .constant(let value, let count):
      precondition(rows.allSatisfy { $0 < count || $0 == Self.missingRow }, "no such row")
      if !mayMiss { return .constant(value, count: rows.count) }
      return .dictionary(
        DictionaryVector(
          codes: rows.map { $0 == Self.missingRow ? 1 : 0 }, entries: .constant(value, count: 1)))
    case .integers(let v):
      return .integers(v.gather(rows, mayMiss: mayMiss))
    case .timestamps(let v):
      return .timestamps(v.gather(rows, mayMiss: mayMiss))
    case .doubles(let v):
      return .doubles(
        DoubleVector(
          values: pick(v.values, rows, mayMiss: mayMiss, missing: 0),
          validity: pickValidity(v.validity, rows, mayMiss: mayMiss), isSource: v.isSource))
    case .decimals(let v):
      return .decimals(
        DecimalVector(
          mantissas: pick(v.mantissas, rows, mayMiss: mayMiss, missing: 0),
          scales: v.scales.isEmpty ? [] : pick(v.scales, rows, mayMiss: mayMiss, missing: 0),
          scale: v.scale, validity: pickValidity(v.validity, rows, mayMiss: mayMiss)))
    case .booleans(let v):
      return .booleans(
        BooleanVector(
          values: pickBits(v.values, rows, mayMiss: mayMiss),
          validity: pickValidity(v.validity, rows, mayMiss: mayMiss)))
    case .strings(let v):
      return .strings(v.gather(rows, mayMiss: mayMiss))
    case .dictionary(let v):
      let missing = UInt16(v.entries.count)
      return .dictionary(
        DictionaryVector(
          codes: pick(v.codes, rows, mayMiss: mayMiss, missing: missing), entries: v.entries))
    case .values(let v):
      return .values(pick(v, rows, mayMiss: mayMiss, missing: .missing))
    }
  }
}

extension IntegerVector {
  fileprivate func gather(_ rows: SelectionVector, mayMiss: Bool) -> IntegerVector {
    IntegerVector(
      values: pick(values, rows, mayMiss: mayMiss, missing: 0),
      validity: pickValidity(validity, rows, mayMiss: mayMiss))
  }
}

extension StringVector {
  fileprivate func gather(_ rows: SelectionVector, mayMiss: Bool) -> StringVector {
    var total = 0
    let newOffsets = [UInt32](unsafeUninitializedCapacity: rows.count + 1) { buffer, used in
      buffer[0] = 0
      for (i, row) in rows.enumerated() {
        if !(mayMiss && row == ColumnVector.missingRow) {
          let row = Int(row)
          total += Int(offsets[row + 1] &- offsets[row])
        }
        buffer[i + 1] = UInt32(truncatingIfNeeded: total)
      }
      used = rows.count + 1
    }
    precondition(total <= UInt32.max, "more than 4 GiB of text in one vector")
    let newBytes = [UInt8](unsafeUninitializedCapacity: total) { target, used in
      bytes.withUnsafeBufferPointer { source in
        var position = 0
        for row in rows where !(mayMiss && row == ColumnVector.missingRow) {
          let range = self.range(Int(row))
          if range.isEmpty { continue }
          _ = target[position..<(position + range.count)]
            .initialize(fromContentsOf: source[range])
          position += range.count
        }
        used = position
      }
    }
    return StringVector(
      offsets: newOffsets, bytes: newBytes,
      validity: pickValidity(validity, rows, mayMiss: mayMiss))
  }
}

@inline(__always)
private func pick<T>(_ values: [T], _ rows: SelectionVector, mayMiss: Bool, missing: T) -> [T] {
  if mayMiss {
    return rows.map { $0 == ColumnVector.missingRow ? missing : values[Int($0)] }
  }
  return rows.map { values[Int($0)] }
}

private func pickBits(_ bits: Bitmap, _ rows: SelectionVector, mayMiss: Bool) -> Bitmap {
  if !mayMiss { return bits.gather(rows) }
  return Bitmap(count: rows.count) { i in
    rows[i] != ColumnVector.missingRow && bits[Int(rows[i])]
  }
}

private func pickValidity(_ validity: Bitmap?, _ rows: SelectionVector, mayMiss: Bool) -> Bitmap? {
  let picked: Bitmap
  switch (validity, mayMiss) {
  case (nil, false): return nil
  case (nil, true): picked = Bitmap(count: rows.count) { rows[$0] != ColumnVector.missingRow }
  case (let bits?, _): picked = pickBits(bits, rows, mayMiss: mayMiss)
  }
  return picked.isFull ? nil : picked
}

extension DictionaryVector {
  /// The same rows with each value in its place, in the form of the entries.
  package func flattened() -> ColumnVector {
    let missing = UInt16(entries.count)
    if case .constant(let value, _) = entries {
      // Gathering would make a dictionary of it again.
      return ColumnVector(codes.map { $0 == missing ? .missing : value })
    }
    return entries.gatherOrMissing(
      codes.map { $0 == missing ? ColumnVector.missingRow : UInt32($0) })
  }
}

extension ColumnBatch {
  /// The rows of every column whose bit is set.
  package func compress(_ kept: Bitmap) -> ColumnBatch {
    if kept.isFull { return self }
    return gather(kept.setRows())
  }

  /// The given rows of every column, in the given order.
  package func gather(_ rows: SelectionVector) -> ColumnBatch {
    ColumnBatch(
      names: names, columns: columns.map { $0.gather(rows) }, rowCount: rows.count)
  }
}
