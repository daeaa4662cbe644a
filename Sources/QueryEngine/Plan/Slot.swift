import LogStorage
import QueryLanguage

// Names end here. Every value that a query can talk about - a field of the event, an alias, a
// capture of `parse`, an aggregate - gets a number, its *slot*, once and for all. A name that is
// defined a second time gets a second slot, so "the newest definition shadows the older one" needs
// no thought at run time:
//
//     fields ms | fields ms * 2 as ms | filter ms > 10
//            0           1: slot 0 × 2          slot 1
//
// A definition says how the value of a slot is found from the row, and nothing is computed until a
// step of the plan asks for it. What is never asked for is never read.

/// The number of one value of a row, from 0, throughout one plan.
typealias SlotID = Int

/// How the value of a slot comes about.
enum SlotSource: Sendable {
  /// A field of the event.
  case event(EventField)
  /// Computed from other slots.
  case expression(BoundExpression)
  /// A capture of one `parse`; both numbers count from 0.
  case capture(extraction: Int, index: Int)
  /// Made by the barrier that ends a segment.
  case barrier
}

/// What a query can name of an event.
enum EventField: Sendable, Hashable {
  case timestamp, ingestionTime, message, logStream, log, pointer
  /// A discovered field by its dotted path.
  case discovered(String)

  /// The field as a query writes it, less the second `@` of a name that has one of its own.
  var name: String {
    switch self {
    case .timestamp: "@timestamp"
    case .ingestionTime: "@ingestionTime"
    case .message: "@message"
    case .logStream: "@logStream"
    case .log: "@log"
    case .pointer: "@ptr"
    case .discovered(let path): path
    }
  }

  init(name: String) {
    switch name {
    case "@timestamp": self = .timestamp
    case "@ingestionTime": self = .ingestionTime
    case "@message": self = .message
    case "@logStream": self = .logStream
    case "@log": self = .log
    case "@ptr": self = .pointer
    default: self = .discovered(DiscoveredName.path(ofName: name))
    }
  }
}

/// One value of a row.
struct Slot: Sendable {
  /// The name it was defined by; for explanations.
  let name: String
  let source: SlotSource
  /// The segment in which its definition stands, from 0.
  let segment: Int
  /// Whether the value may be a map or a list.
  let mayBeStructure: Bool
  /// Where the query first names it, if it is a field of the event.
  var mention = SourceRange.none
  /// Whether the query compares something with it, as if it were a text without quotes.
  var isOperand = false
}
