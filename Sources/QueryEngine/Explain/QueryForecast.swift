package import LogStorage

/// What a query would do, read and cost, without its answer.
package struct QueryForecast: Sendable {
  /// One pass over the store: that of the query, or of a query inside it.
  package struct Scan: Sendable {
    /// `query`, or what the inner query is for.
    package var name: String
    package var survey: ScanSurvey
  }

  /// A filter of the query, in the order in which filters are tried.
  package struct Filter: Sendable {
    package var condition: String
    /// On what it is decided, the cheapest first; empty if no row came as far as here.
    package var means: [DecisionMeans]
    /// Events that came to it and events that it let through, in the trial.
    package var rowsBefore = 0
    package var rowsAfter = 0
    /// Whole texts that it had put together in the trial.
    package var textCount = 0
    /// Chunks it reads of a row group, on average.
    package var chunksPerRowGroup = 0.0
    /// Processor time it took in the trial.
    package var milliseconds = 0.0
  }

  /// A column, or something else that every row group has, in all row groups to be read.
  package struct Chunks: Sendable {
    package var name: ChunkName
    package var encodings: Set<ColumnEncoding>
    /// How many chunks of this name are expected to be read, and their bytes as stored.
    package var chunkCount: Int
    package var byteCount: Int
  }

  /// The plan as text.
  package var plan: String
  /// Inner queries first, the query itself last; empty where the source cannot tell.
  package var scans: [Scan] = []
  package var filters: [Filter] = []
  /// What is read of the row groups of the query's own scan, the largest first.
  package var chunks: [Chunks] = []
  /// Row groups on which the query was tried; 0 if on none.
  package var trialRowGroupCount = 0
  package var trialMilliseconds = 0.0
  /// Whether the query is expected to have enough before it has seen all row groups.
  package var endsEarly = false
  package var estimate: QueryEstimate
  /// What the query may hold at most in tables, sorts and sets.
  package var memoryLimit: Int
  /// Bytes of the files it reads in place of a store; `nil` for a store, or what cannot be known.
  package var fileByteCount: Int?
  package var readsFiles = false

  /// Bytes of texts in the window and log groups: what CloudWatch, which keeps no columns, would read.
  package var cloudWatchByteCount: Int { scans.reduce(0) { $0 + $1.survey.rawByteCount } }
  /// What that would cost there.
  package var cloudWatchDollars: Double {
    Double(cloudWatchByteCount) / 1e9 * Self.dollarsPerGigabyte
  }

  /// The price of CloudWatch Logs Insights in most regions, for 10⁹ bytes.
  package static let dollarsPerGigabyte = 0.005
}

/// What the statistics of a run are expected to say.
package struct QueryEstimate: Sendable {
  package var segmentsRead = 0
  package var rowGroupsRead = 0
  package var recordsScanned = 0
  package var bytesScanned = 0
  package var bytesRead = 0
  /// `nil` if a trial could not tell.
  package var peakMemoryBytes: Int?
  package var elapsedMilliseconds: Double?
  /// Whether the time is only known to be more than that.
  package var isTimeLowerBound = false
}

/// On what a filter is decided.
package enum DecisionMeans: Int, Sendable, Comparable, CaseIterable, CustomStringConvertible {
  /// Nothing is read: columns that an earlier filter has read, or none at all.
  case known
  case eventTimes
  case streams
  /// Which event has which fields, and the constant parts of their texts.
  case shapes
  /// Once per distinct value.
  case constants
  case dictionaries
  case numbers
  case times
  case identifiers
  case templates
  case plainTexts
  /// Whole texts, put together again.
  case wholeTexts

  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  package var description: String {
    switch self {
    case .known: "what is known already"
    case .eventTimes: "event times"
    case .streams: "streams"
    case .shapes: "shapes"
    case .constants: "constants"
    case .dictionaries: "dictionaries"
    case .numbers: "numbers"
    case .times: "times"
    case .identifiers: "id pool"
    case .templates: "templates"
    case .plainTexts: "plain texts"
    case .wholeTexts: "whole texts"
    }
  }

  init?(_ chunk: ChunkName, _ encoding: ColumnEncoding?) {
    switch chunk.content {
    case .eventTimes: self = .eventTimes
    case .arrivalTimes: self = .times
    case .streams: self = .streams
    case .shapes, .shapeTexts: self = .shapes
    case .identifiers, .identifierFilters: self = .identifiers
    case .sequence, .pack: return nil
    case .column, .rareValues: self.init(encoding)
    }
  }

  private init?(_ encoding: ColumnEncoding?) {
    switch encoding {
    case .constant?: self = .constants
    case .dictionary?: self = .dictionaries
    case .integer?, .decimal?, .double?: self = .numbers
    case .timestampText?, .timestampNumber?: self = .times
    case .identifier?: self = .identifiers
    case .templates?: self = .templates
    case .plainString?: self = .plainTexts
    case .reference?, .rare?, .pieces?, nil: return nil
    }
  }
}
