import LogStorage
import QueryEngine

/// What a query would do, for a person.
///
///     plan
///       scan app
///       …
///
///     filters, each on what the ones before it leave; tried on 8 row groups
///       1  level = "ERROR"                 on dictionaries         412,302 → 20,117 events
///
///     reads    27 of 27 row groups in 4 segments · 1,747,626 events, 1 GiB of text
///              …
struct ForecastText {
  /// Kinds of chunks that are listed one by one.
  private static let mostChunks = 12

  private let forecast: QueryForecast
  private let style: TextStyle

  init(_ forecast: QueryForecast, style: TextStyle) {
    self.forecast = forecast
    self.style = style
  }

  var text: String {
    let sections = [plan, filters, reads, skips, costs].filter { !$0.isEmpty }
    return sections.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }

  private func title(_ text: String) -> String { style.bold(text) }

  // MARK: Plan and filters

  private var plan: [String] {
    [title("plan")]
      + forecast.plan.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
  }

  private var filters: [String] {
    guard !forecast.filters.isEmpty else { return [] }
    let groups = HumanUnits.count(forecast.trialRowGroupCount, "row group")
    let head = "filters, in their order, as they did on the first \(groups)"
    return [title(head)]
      + forecast.filters.enumerated().flatMap { lines(of: $1, number: $0 + 1) }
  }

  private func lines(of filter: QueryForecast.Filter, number: Int) -> [String] {
    let head = "  \(number)  \(filter.condition)"
    guard filter.rowsBefore > 0 else {
      return [head, "     not reached: the filters before it let nothing through"]
    }
    var detail = "     decided on " + filter.means.map(\.description).joined(separator: ", ")
    if filter.textCount > 0 { detail += " (\(HumanUnits.count(filter.textCount)) put together)" }
    detail += " · \(HumanUnits.count(filter.rowsBefore)) → "
    detail += "\(HumanUnits.count(filter.rowsAfter, "event"))"
    detail += " · \(HumanUnits.duration(milliseconds: filter.milliseconds))"
    return [head, detail]
  }

  // MARK: Reading

  private var reads: [String] {
    if forecast.readsFiles {
      let size = forecast.fileByteCount.map { ", \(HumanUnits.bytes($0))" } ?? ""
      return [title("reads"), "  the files whole\(size): without a store nothing is known of them"]
    }
    let estimate = forecast.estimate
    return [title("reads")] + forecast.scans.map(line) + chunkLines
      + [
        "  \(about)\(HumanUnits.bytes(estimate.bytesRead)) from disk, directories and tables included"
      ]
  }

  private var about: String { forecast.trialRowGroupCount == 0 ? "" : "about " }

  private func line(_ scan: QueryForecast.Scan) -> String {
    let found = scan.survey.statistics
    let isOwn = scan.name == "query"
    let early = isOwn && forecast.endsEarly
    let rowGroups = found.rowGroupsRead + found.rowGroupsSkipped
    var text = isOwn ? "  " : "  \(scan.name): "
    let handedOut = early ? ownRowGroups : found.rowGroupsRead
    if early { text += "about " }
    text += "\(HumanUnits.count(handedOut)) of \(HumanUnits.count(rowGroups, "row group"))"
    text += " in \(HumanUnits.count(found.segmentsRead)) of "
    text += HumanUnits.count(found.segmentsRead + found.segmentsSkipped, "segment")
    if early { return text + ", newest first, then there are enough" }
    return text + " · \(HumanUnits.count(found.rowsScanned, "event")),"
      + " \(HumanUnits.bytes(found.rawBytesScanned)) of text"
  }

  private var ownRowGroups: Int {
    let inner = forecast.scans.dropLast().reduce(0) { $0 + $1.survey.statistics.rowGroupsRead }
    return forecast.estimate.rowGroupsRead - inner
  }

  /// A line for each of the largest, one for the rest.
  private var chunkLines: [String] {
    let chunks = forecast.chunks
    guard !chunks.isEmpty else {
      return forecast.trialRowGroupCount > 0
        ? ["  no chunk: directories and tables say it all"] : []
    }
    let shown = chunks.count <= Self.mostChunks ? chunks[...] : chunks.prefix(Self.mostChunks - 1)
    let rest = chunks.dropFirst(shown.count)
    let names = shown.map { name(of: $0).shortened(to: 40) }
    let width = names.map(\.count).max() ?? 0
    var lines = zip(shown, names).map { chunk, name in
      "  " + name.padded(to: width) + figures(chunk.chunkCount, chunk.byteCount)
        + forms(chunk.encodings)
    }
    if !rest.isEmpty {
      let name = "\(HumanUnits.count(rest.count)) more".padded(to: width)
      lines.append(
        "  " + name
          + figures(rest.reduce(0) { $0 + $1.chunkCount }, rest.reduce(0) { $0 + $1.byteCount }))
    }
    return lines
  }

  /// The name, with the kind of values where several have one name.
  private func name(of chunks: QueryForecast.Chunks) -> String {
    let name = chunks.name.description
    let isOnly = forecast.chunks.filter { $0.name.description == name }.count == 1
    return isOnly ? name : "\(name) (\(chunks.name.valueKind))"
  }

  /// Chunks of a pack and constants in a table have no bytes of their own.
  private func figures(_ chunkCount: Int, _ byteCount: Int) -> String {
    HumanUnits.count(chunkCount, "chunk").leftPadded(to: 14)
      + (byteCount == 0 ? "with others" : HumanUnits.bytes(byteCount)).leftPadded(to: 12)
  }

  private func forms(_ encodings: Set<ColumnEncoding>) -> String {
    encodings.isEmpty
      ? "" : "  " + encodings.map(\.description).sorted().joined(separator: ", ")
  }

  // MARK: Skipping

  private var skips: [String] {
    var all: [SkipReason: SkipCount] = [:]
    for scan in forecast.scans { all.merge(scan.survey.statistics.skips) { $0 + $1 } }
    guard !all.isEmpty else { return [] }
    return [title("skips")]
      + all.ordered.map { line in
        var text = "  \(HumanUnits.count(line.count.rowGroups, "row group"))"
        if line.count.segments > 0 {
          text += " in \(HumanUnits.count(line.count.segments, "unopened segment"))"
        }
        return text + ", \(HumanUnits.count(line.count.rows, "event")): \(line.text)"
      }
  }

  // MARK: Costs

  private var costs: [String] {
    guard !forecast.readsFiles else { return [] }
    return [title("costs")] + [time, memory, cloudWatch].map { "  \($0)" }
  }

  private var time: String {
    let estimate = forecast.estimate
    guard let time = estimate.elapsedMilliseconds else { return "time     cannot be told" }
    if forecast.trialRowGroupCount == 0 { return "time     next to none: nothing is read" }
    let tried =
      "\(HumanUnits.count(forecast.trialRowGroupCount, "row group")) took "
      + HumanUnits.duration(milliseconds: forecast.trialMilliseconds)
    let text = HumanUnits.duration(milliseconds: time)
    return "time     \(estimate.isTimeLowerBound ? "more than" : "about") \(text): \(tried)"
      + (estimate.isTimeLowerBound ? " and more" : "") + " on this machine"
  }

  private var memory: String {
    let limit = HumanUnits.bytes(forecast.memoryLimit)
    guard let peak = forecast.estimate.peakMemoryBytes else {
      return "memory   cannot be told; the limit is \(limit)"
    }
    if peak > forecast.memoryLimit {
      return
        "memory   up to \(HumanUnits.bytes(peak)) for tables, sorts and sets; the limit is \(limit)"
    }
    let size = peak == 0 ? "none" : "up to \(HumanUnits.bytes(peak))"
    return "memory   \(size) of \(limit) for tables, sorts and sets"
  }

  private var cloudWatch: String {
    let bytes = Double(forecast.cloudWatchByteCount)
    return "CloudWatch would scan \(Self.decimalSize(bytes)) ≈ "
      + "\(Self.dollars(forecast.cloudWatchDollars)) at $\(QueryForecast.dollarsPerGigabyte)/GB"
  }

  /// CloudWatch counts in powers of ten.
  private static func decimalSize(_ bytes: Double) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
    let (size, unit) = units.first { bytes >= $0.0 } ?? (1, "B")
    let hundredths = Int((bytes / size * 100).rounded())
    let fraction = String(hundredths % 100)
    let digits = String(repeating: "0", count: 2 - fraction.count) + fraction
    return size == 1
      ? "\(Int(bytes)) B" : "\(HumanUnits.count(hundredths / 100)).\(digits) \(unit)"
  }

  /// To a cent from a dollar on, to two digits below.
  private static func dollars(_ amount: Double) -> String {
    var places = 2
    while places < 9, amount > 0, amount < 1, amount * power(places) < 9.95 { places += 1 }
    let units = Int((amount * power(places)).rounded())
    let fraction = String(units % Int(power(places)))
    let zeros = String(repeating: "0", count: places - fraction.count)
    return "$\(HumanUnits.count(units / Int(power(places)))).\(zeros)\(fraction)"
  }

  private static func power(_ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * 10 }
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }

  fileprivate func leftPadded(to width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }

  fileprivate func shortened(to width: Int) -> String {
    count <= width ? self : prefix(width - 1) + "…"
  }
}

extension QueryForecast {
  /// One object with everything the text tells, and all chunks.
  var json: String {
    JSONText.object { json in
      json.add("plan", plan)
      if readsFiles { json.add("fileBytes", fileByteCount) }
      json.add("scans", raw: Self.list(scans.map(\.json)))
      json.add("filters", raw: Self.list(filters.map(\.json)))
      json.add("chunks", raw: Self.list(chunks.map(\.json)))
      json.add("endsEarly", endsEarly)
      json.add("trialRowGroups", trialRowGroupCount)
      json.add("trialMilliseconds", trialMilliseconds)
      if !readsFiles { json.add("estimate", raw: estimate.json) }
      json.add("memoryLimitBytes", memoryLimit)
      let cloudWatch = JSONText.object { inner in
        inner.add("bytesScanned", cloudWatchByteCount)
        inner.add("dollars", raw: "\((cloudWatchDollars * 1e6).rounded() / 1e6)")
        inner.add("dollarsPerGigabyte", Self.dollarsPerGigabyte)
      }
      if !readsFiles { json.add("cloudWatch", raw: cloudWatch) }
    }
  }

  private static func list(_ objects: [String]) -> String {
    "[" + objects.joined(separator: ",") + "]"
  }
}

extension QueryForecast.Scan {
  fileprivate var json: String {
    let found = survey.statistics
    return JSONText.object { json in
      json.add("name", name)
      json.add("logGroups", found.logGroupsScanned)
      json.add("segmentsRead", found.segmentsRead)
      json.add("segmentsSkipped", found.segmentsSkipped)
      json.add("rowGroupsRead", found.rowGroupsRead)
      json.add("rowGroupsSkipped", found.rowGroupsSkipped)
      json.add("records", found.rowsScanned)
      json.add("recordsSkipped", found.rowsSkipped)
      json.add("bytesScanned", found.rawBytesScanned)
      json.add("bytesInWindow", survey.rawByteCount)
      json.add("bytesStored", survey.storedByteCount)
      let skips = found.skips.ordered.map(\.json).joined(separator: ",")
      json.add("skipped", raw: "[\(skips)]")
      if !found.damagedParts.isEmpty { json.add("damagedParts", found.damagedParts) }
    }
  }
}

extension QueryForecast.Filter {
  fileprivate var json: String {
    JSONText.object { json in
      json.add("condition", condition)
      json.add("decidedOn", means.map(\.description))
      json.add("recordsBefore", rowsBefore)
      json.add("recordsAfter", rowsAfter)
      json.add("textsPutTogether", textCount)
      json.add("chunksPerRowGroup", chunksPerRowGroup)
      json.add("milliseconds", milliseconds)
    }
  }
}

extension QueryForecast.Chunks {
  fileprivate var json: String {
    JSONText.object { json in
      json.add("name", name.description)
      if name.content == .column { json.add("kind", name.valueKind) }
      json.add("encodings", encodings.map(\.description).sorted())
      json.add("chunks", chunkCount)
      json.add("bytes", byteCount)
    }
  }
}
