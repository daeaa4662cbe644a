import Columnar

/// The loops over whole columns.
enum KernelBenchmarks {
  /// Columns that the loops run over.
  private struct Columns {
    let integers: ColumnVector
    let doubles: ColumnVector
    let texts: StringVector
    let codes: ColumnVector
    let rows: SelectionVector

    init(rowCount: Int) {
      var random = SampleRandom(seed: 5)
      integers = .integers(
        IntegerVector(values: (0..<rowCount).map { _ in Int64(random.below(1_000_000)) }))
      doubles = .doubles(
        DoubleVector(values: (0..<rowCount).map { _ in Double(random.below(1_000_000)) / 7 }))
      texts = StringVector(
        (0..<rowCount).map { row -> String? in
          "request \(row) took \(random.below(900)) ms in \(random.hex(8))"
        })
      codes = .dictionary(
        DictionaryVector(
          codes: (0..<rowCount).map { _ in UInt16(random.below(4)) },
          entries: .strings(StringVector(["INFO", "WARN", "ERROR", "DEBUG"]))))
      rows = SelectionVector((0..<UInt32(rowCount)).filter { _ in random.chance(percent: 10) })
    }

    var count: Int { texts.count }
  }

  /// - Parameter rowCount: rows of each column.
  static func all(rowCount: Int) -> [Benchmark] {
    let columns = Columns(rowCount: rowCount)
    return filters(columns) + [
      kernel("gather", columns, bytes: columns.rows.count * 8) { checksum in
        checksum.add(columns.integers.gather(columns.rows))
      },
      kernel("arithmetic", columns, bytes: columns.count * 16) { checksum in
        checksum.add(columns.integers.arithmetic(.multiply, columns.doubles))
      },
      kernel("key-hash", columns, bytes: columns.texts.bytes.count) { checksum in
        for hash in ColumnVector.strings(columns.texts).keyHashes().hashes { checksum.add(hash) }
      },
    ] + sorts(columns)
  }

  private static func filters(_ columns: Columns) -> [Benchmark] {
    let search = ByteSearch(Array("took 77 ms".utf8))
    let folded = ByteSearch(Array("TOOK 77".utf8), ignoringCase: true)
    let greater = ColumnVector.constant(.integer(990_000), count: columns.count)
    let members = MembershipTest([.string("ERROR"), .string("FATAL")])
    return [
      kernel("compare-integers", columns, bytes: columns.count * 8) { checksum in
        checksum.add(columns.integers.compare(.greater, greater))
      },
      kernel("compare-doubles", columns, bytes: columns.count * 8) { checksum in
        checksum.add(columns.doubles.compare(.less, greater))
      },
      kernel("in-codes", columns, bytes: columns.count * 2) { checksum in
        checksum.add(members.rows(of: columns.codes))
      },
      kernel("search-text", columns, bytes: columns.texts.bytes.count) { checksum in
        checksum.add(search.rows(in: columns.texts))
      },
      kernel("search-text-any-case", columns, bytes: columns.texts.bytes.count) { checksum in
        checksum.add(folded.rows(in: columns.texts))
      },
    ]
  }

  private static func sorts(_ columns: Columns) -> [Benchmark] {
    let keys: [(name: String, column: ColumnVector, limit: Int?)] = [
      ("sort-integers", columns.integers, nil), ("sort-doubles", columns.doubles, nil),
      ("sort-texts", .strings(columns.texts), nil), ("sort-codes", columns.codes, nil),
      ("top-20", columns.doubles, 20),
    ]
    return keys.map { key in
      kernel(key.name, columns, bytes: columns.count * 8) { checksum in
        let order = SortKernel.order(
          keys: [key.column], descending: [true], rowCount: columns.count, limit: key.limit)
        for row in order { checksum.add(UInt64(row)) }
      }
    }
  }

  private static func kernel(
    _ name: String, _ columns: Columns, bytes: Int, _ body: @escaping (inout Checksum) -> Void
  ) -> Benchmark {
    Benchmark(name: "kernel/\(name)") {
      var checksum = Checksum()
      body(&checksum)
      return .init(rows: columns.count, bytes: bytes, checksum: checksum.value)
    }
  }
}

extension Checksum {
  fileprivate mutating func add(_ bitmap: Bitmap) {
    for row in bitmap.setRows() { add(UInt64(row)) }
  }
}
