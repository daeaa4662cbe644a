import Columnar

// A plan is a scan and a chain of segments. The language looks like a pipe and is not quite one:
// `sort`, `limit` and `display` act at the end of their segment, wherever they stand in it, and a
// segment ends at every command that needs all rows before it (a barrier).
//
//     filter level = "error" | stats count(*) as n by host | sort n desc | limit 3
//     └───────── segment 0: filter; barrier: stats ─────┘   └ segment 1: sort, limit ┘
//
// The plan is plain data: the optimizer rewrites it, `explain` prints it, and an exporter may
// translate it, without knowing how it is run.

/// A query as data: what is read, what is done with it, what comes out.
struct LogicalPlan: Sendable {
  var scan: ScanStep
  /// At least one; every one but the last ends in a barrier.
  var segments: [PlanSegment]
  /// Definitions of all slots; a slot is an index into this list.
  var slots: [Slot]
  /// What each `parse` does; captures refer to it by index.
  var extractions: [Extraction]
  var output: OutputStep
  /// Queries that are run before this one; conditions and commands refer to them by index.
  var subplans: [Subplan] = []
  /// Where the query is not to be run: the slot that takes the bytes its scans would read.
  var estimate: SlotID?
  /// Bytes that the tables of `lookup` take.
  var tableByteCount = 0
}

/// What is read.
struct ScanStep: Sendable {
  /// The log groups of the request; `nil` for all.
  var logGroups: [String]?
  /// What `SOURCE` selects, in place of `logGroups`.
  var selection: GroupSelection?
  /// Event times in ms, both ends inclusive.
  var window: ClosedRange<Int64>?
  /// The window as the query has it, which functions such as `queryStartTime` tell; the scan may
  /// read less of it, or another one.
  var statedWindow: ClosedRange<Int64>?
  /// Conditions that every useful event satisfies.
  var predicates: [FieldPredicate] = []
}

/// Streaming steps, then the deferred ones, then the barrier.
struct PlanSegment: Sendable {
  /// Conditions in the order in which they are tried.
  var filters: [BoundExpression] = []
  /// Order at the end of the segment, most significant key first; empty keeps the order of the input.
  var sortKeys: [SortTerm] = []
  /// The last rows of the order that are kept, before `limit`.
  var tail: Int?
  /// The first rows of the order that are kept.
  var limit: Int?
  var barrier: Barrier?
}

/// One key of an order.
struct SortTerm: Sendable {
  var expression: BoundExpression
  var isDescending: Bool
}

/// What ends a segment.
enum Barrier: Sendable {
  case stats(StatsStep)
  /// Keeps the first row of each combination; rows with a missing part are all kept.
  case dedup([SlotID])
  /// One row per match, see ``Extraction``; the captures of the extraction become slots.
  case matches(extraction: Int, captures: [SlotID])
  /// One of the commands that work on rows in their order.
  case command(any RowCommand)

  /// Whether the rows behind it are new ones, of which only what it made is known.
  var makesNewRows: Bool {
    switch self {
    case .stats: true
    case .command(let command): command.makesNewRows
    case .dedup, .matches: false
    }
  }
}

/// An aggregation.
struct StatsStep: Sendable {
  struct Key: Sendable {
    var expression: BoundExpression
    var output: SlotID
  }

  struct Output: Sendable {
    var aggregate: AggregateCall
    var output: SlotID
  }

  var keys: [Key]
  var aggregates: [Output]
  /// The key that orders the result first: the first one made by `bin`, `datefloor` or `dateceil`.
  var timeKey: Int?
  /// The command that asks for it, as messages name it.
  var command = "stats"
}

/// How a text is taken apart.
struct Extraction: Sendable {
  enum Method: Sendable {
    case glob(GlobPattern)
    /// Captures by group number.
    case regex(CompiledRegex, groups: [Int])
    case logfmt
    case csv(count: Int)
  }

  var source: BoundExpression
  var method: Method
  /// How many slots it defines.
  var captureCount: Int
}

/// What the result shows.
struct OutputStep: Sendable {
  enum Column: Sendable {
    case named(String, SlotID)
    /// Every discovered field of each event.
    case discovered

    var isDiscovered: Bool { if case .discovered = self { true } else { false } }
  }

  var columns: [Column]

  /// The names in order, or `nil` if the events decide them.
  var names: [String]? {
    var names: [String] = []
    for column in columns {
      guard case .named(let name, _) = column else { return nil }
      names.append(name)
    }
    return names
  }
}
