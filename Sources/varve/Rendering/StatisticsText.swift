import QueryEngine

extension QueryStatistics {
  /// One JSON object on one line.
  var json: String {
    JSONText.object { json in
      addCounters(to: &json)
      json.add("elapsedMilliseconds", elapsedMilliseconds)
      let phases = JSONText.object { inner in
        for phase in self.phases { inner.add(phase.name, phase.milliseconds) }
      }
      json.add("phases", raw: phases)
      if let estimate { json.add("estimate", raw: estimate.json) }
      if !skips.isEmpty {
        json.add("skipped", raw: "[\(skips.ordered.map(\.json).joined(separator: ","))]")
      }
      if !approximations.isEmpty { json.add("approximations", approximations) }
      if !damagedParts.isEmpty { json.add("damagedParts", damagedParts) }
    }
  }

  private func addCounters(to json: inout JSONText) {
    json.add("recordsMatched", recordsMatched)
    json.add("recordsScanned", recordsScanned)
    json.add("recordsSkipped", recordsSkipped)
    json.add("bytesScanned", bytesScanned)
    json.add("bytesRead", bytesRead)
    json.add("logGroupsScanned", logGroupsScanned)
    json.add("segmentsRead", segmentsRead)
    json.add("segmentsSkipped", segmentsSkipped)
    json.add("rowGroupsRead", rowGroupsRead)
    json.add("rowGroupsSkipped", rowGroupsSkipped)
    json.add("resultCount", resultCount)
    json.add("peakMemoryBytes", peakMemoryBytes)
    json.add("spilledBytes", spilledBytes)
  }

  /// One line for a person.
  var sentence: String {
    var text = HumanUnits.count(resultCount, "row")
    text += " · \(HumanUnits.count(recordsMatched)) of \(HumanUnits.count(recordsScanned, "event"))"
    text += " matched · \(HumanUnits.bytes(bytesScanned)) scanned"
    if segmentsRead + segmentsSkipped > 0 {
      text += " · segments \(segmentsRead) read, \(segmentsSkipped) skipped"
    }
    text += " · row groups \(rowGroupsRead) read, \(rowGroupsSkipped) skipped"
    if peakMemoryBytes > 0 { text += " · \(HumanUnits.bytes(peakMemoryBytes)) of memory" }
    if spilledBytes > 0 { text += " · \(HumanUnits.bytes(spilledBytes)) of temporary files" }
    text += " · \(HumanUnits.duration(milliseconds: elapsedMilliseconds))"
    if !phases.isEmpty {
      let parts = phases.map { "\($0.name) \(HumanUnits.duration(milliseconds: $0.milliseconds))" }
      text += " (\(parts.joined(separator: ", ")))"
    }
    if let time = estimate?.timeText { text += " · estimated \(time)" }
    return text
  }
}

extension QueryEstimate {
  /// The figures under the names they have in the statistics of a run.
  var json: String {
    JSONText.object { json in
      json.add("recordsScanned", recordsScanned)
      json.add("bytesScanned", bytesScanned)
      json.add("bytesRead", bytesRead)
      json.add("segmentsRead", segmentsRead)
      json.add("rowGroupsRead", rowGroupsRead)
      json.add("peakMemoryBytes", peakMemoryBytes)
      if let elapsedMilliseconds { json.add("elapsedMilliseconds", elapsedMilliseconds) }
      if isTimeLowerBound { json.add("isTimeLowerBound", true) }
    }
  }

  /// `2.1 ms`, `more than 3 s`.
  var timeText: String? {
    elapsedMilliseconds.map {
      (isTimeLowerBound ? "more than " : "") + HumanUnits.duration(milliseconds: $0)
    }
  }
}
