/// An object whose only purpose is to carry events: `{"Records":[…]}` as CloudTrail and S3 write it,
/// `{"logEvents":[…]}` as CloudWatch subscriptions do, or a bare array of objects.
struct Wrapper {
  enum Kind {
    /// Each element is an event; its text is the element's, byte for byte.
    case records
    /// Each element is an envelope with `timestamp` and `message`; the event is the message.
    case logEvents
    /// A file that is one array of objects.
    case array
  }

  var kind: Kind
  /// Stream that the envelope names.
  var stream: String?
  /// Position after the array's opening bracket.
  var firstElement: Int
  /// Members beside the array that tell something and are not stored.
  var memberCount = 0

  /// Recognises a wrapper whose object starts at `start`. The array itself need not be complete.
  ///
  /// Looks at members up to the array; an object of another nature is left after a few keys.
  static func recognise(_ bytes: UnsafePointer<UInt8>, from start: Int, limit: Int) -> Wrapper? {
    guard mayBeWrapper(bytes, from: start, limit: limit) else { return nil }
    var found: Wrapper?
    var stream: String?
    var memberCount = 0
    JSONExtent.members(bytes, from: start, limit: limit) { key, value, valueEnd in
      let name = UnsafeBufferPointer(start: bytes + key.lowerBound, count: key.count)
      let isArray = value < limit && bytes[value] == UInt8(ascii: "[")
      if found == nil, isArray, name.elementsEqual("Records".utf8),
        elementsAreObjects(bytes, value, limit)
      {
        found = Wrapper(kind: .records, stream: nil, firstElement: value + 1)
      } else if found == nil, isArray, name.elementsEqual("logEvents".utf8),
        elementsAreObjects(bytes, value, limit)
      {
        found = Wrapper(kind: .logEvents, stream: nil, firstElement: value + 1)
      } else if name.elementsEqual("logStream".utf8), let valueEnd,
        bytes[value] == UInt8(ascii: "\"")
      {
        stream = JSONEscapes.decoded(
          Array(UnsafeBufferPointer(start: bytes + value + 1, count: valueEnd - value - 2)))
      } else if !envelopeKeys.contains(where: { name.elementsEqual($0.utf8) }) {
        memberCount += 1
      }
      // Members behind the array count too, if the array is complete.
      return true
    }
    found?.stream = stream
    found?.memberCount = memberCount
    return found
  }

  /// What CloudWatch writes around log events; it says nothing about them.
  private static let envelopeKeys = [
    "messageType", "owner", "logGroup", "subscriptionFilters", "nextForwardToken",
  ].map(StaticName.init)

  /// A cheap look at the first key: only these begin wrappers in the wild.
  private static func mayBeWrapper(
    _ bytes: UnsafePointer<UInt8>, from start: Int, limit: Int
  ) -> Bool {
    let quote = JSONExtent.skipBlanks(bytes, from: start + 1, limit: limit)
    guard quote + 2 < limit, bytes[quote] == UInt8(ascii: "\"") else { return false }
    for name in firstKeys where quote + 1 + name.utf8.count < limit {
      let key = UnsafeBufferPointer(start: bytes + quote + 1, count: name.utf8.count)
      // The closing quote first: it refuses most keys at once.
      if bytes[quote + 1 + name.utf8.count] == UInt8(ascii: "\""), key.elementsEqual(name.utf8) {
        return true
      }
    }
    return false
  }

  private static let firstKeys: [StaticName] = [
    "Records", "logEvents", "messageType", "owner", "logGroup", "logStream", "subscriptionFilters",
    "nextForwardToken", "events",
  ].map(StaticName.init)

  private struct StaticName {
    let utf8: [UInt8]
    init(_ name: String) { utf8 = Array(name.utf8) }
  }

  private static func elementsAreObjects(
    _ bytes: UnsafePointer<UInt8>, _ bracket: Int, _ limit: Int
  ) -> Bool {
    let first = JSONExtent.skipBlanks(bytes, from: bracket + 1, limit: limit)
    return first >= limit || bytes[first] == UInt8(ascii: "{") || bytes[first] == UInt8(ascii: "]")
  }

  /// `timestamp` and `message` of a log event's envelope, the message unescaped.
  static func logEvent(
    _ bytes: UnsafePointer<UInt8>, from start: Int, limit: Int
  ) -> (time: Int64?, message: [UInt8])? {
    var time: Int64?
    var message: [UInt8]?
    JSONExtent.members(bytes, from: start, limit: limit) { key, value, valueEnd in
      guard let valueEnd else { return false }
      let name = UnsafeBufferPointer(start: bytes + key.lowerBound, count: key.count)
      if name.elementsEqual("timestamp".utf8) {
        time = DecimalText.integer(bytes + value, valueEnd - value)
      } else if name.elementsEqual("message".utf8), bytes[value] == UInt8(ascii: "\"") {
        var text: [UInt8] = []
        JSONEscapes.append(
          UnsafeRawBufferPointer(start: bytes + value + 1, count: valueEnd - value - 2), to: &text)
        message = text
      }
      return true
    }
    return message.map { (time, $0) }
  }
}
