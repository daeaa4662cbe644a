// Ranks of many texts in the order of `sort` (SortOrder), without comparing them in pairs.
//
// Comparing costs too much: records begin alike, and each comparison of two would read that beginning again, a
// million times twenty. Instead eight bytes of every text are taken as one *word*, all words are sorted by bytes, and
// only texts of equal words go on with their next eight bytes, each such group by itself. It is the sort of strings by
// their most significant digit first, with a word as the digit (Bentley and Sedgewick, "Fast algorithms for sorting
// and searching strings", 1997; words cached as by Ng and Kakehi, 2007).
//
// The order of `sort` is not that of bytes: runs of digits stand by their length, and a run that ends stands before one
// that goes on. Words are therefore taken from a text written in such a way that bytes do have its order:
//
//     other run     its bytes; nothing behind it
//     run of digits its length, then its digits; before it 0x30 at the start of a text, elsewhere 0x01
//
//     ab9           61 62 | 01 01 39            ab9 < ab10 < ab! because 01 01 39 < 01 02 31 30 < 21:
//     ab10          61 62 | 01 02 31 30         the run `ab` ends in both, in `ab!` it goes on
//     ab!           61 62 21
//     ab            61 62                       what lacks is filled up with 00, so the shorter one comes first
//
// Two things do not fit a byte: a byte of an other run below 0x03, which would be taken for one of the marks (it becomes
// 0x02 and ends the word), and the length of a run of 255 digits or more. Texts that are still equal there are few, and
// are compared.
//
// A group whose words are all equal goes on behind all that its texts share, not eight bytes further: one look at
// each text where the beginning of the records would take a dozen.

/// Ranks of texts.
enum TextRanks {
  /// Texts whose words are found between two questions at a stop point.
  private static let textsBetweenStops = 32_768
  /// Groups that are sorted by comparing.
  private static let mostCompared = 8

  /// The rank of each text, from 1: texts that are no numbers, then numbers; equal texts have one rank.
  ///
  /// - Parameters:
  ///   - count: how many texts there are.
  ///   - limit: how many of the first are wanted; only ranks up to it tell texts apart.
  ///   - text: the bytes of text `i`, which lie where they are until this returns.
  /// - Complexity: O(bytes that tell the texts apart)
  static func ranks(
    _ count: Int, limit: Int = .max, of text: (Int) -> UnsafeBufferPointer<UInt8>
  ) -> [UInt64] {
    // Invalid bytes are ordered as what they are read as.
    var repaired: [Int: UnsafeMutableBufferPointer<UInt8>] = [:]
    defer { for copy in repaired.values { copy.deallocate() } }
    var sort = TextSort(count, limit)
    var numeric: [(number: Number, text: UInt32)] = []
    for i in 0..<count {
      if i % textsBetweenStops == 0, StopPoint.isPassed {
        return [UInt64](repeating: 0, count: count)
      }
      let bytes = text(i)
      if !TextBytes.isValid(bytes) {
        repaired[i] = copy(String(decoding: bytes, as: UTF8.self))
      } else if let number = NumberText.numberWithoutBlanks(bytes) {
        numeric.append((number, UInt32(truncatingIfNeeded: i)))
        continue
      }
      sort.add(UInt32(truncatingIfNeeded: i))
    }
    let rankOfFirstNumber = sort.count
    if repaired.isEmpty {
      sort.run { text(Int($0)) }
    } else {
      sort.run { repaired[Int($0)].map { UnsafeBufferPointer($0) } ?? text(Int($0)) }
    }
    var ranks = sort.ranks
    rank(numeric, from: rankOfFirstNumber, of: text, &ranks)
    return ranks
  }

  private static func copy(_ repaired: String) -> UnsafeMutableBufferPointer<UInt8> {
    let bytes = Array(repaired.utf8)
    let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
    _ = copy.initialize(from: bytes)
    return copy
  }

  /// Numbers by value, equal ones by their texts.
  private static func rank(
    _ numeric: [(number: Number, text: UInt32)], from start: Int,
    of text: (Int) -> UnsafeBufferPointer<UInt8>, _ ranks: inout [UInt64]
  ) {
    var sorted = numeric
    var stop = StopCounter(every: 1_024)
    func order(_ a: UInt32, _ b: UInt32) -> Ordering {
      SortOrder.order(texts: text(Int(a)), text(Int(b)))
    }
    try? sorted.sort { a, b in
      try stop.check()
      let byNumber = Number.order(a.number, b.number)
      return byNumber == .equal ? order(a.text, b.text) == .less : byNumber == .less
    }
    var rank = start
    for (place, entry) in sorted.enumerated() {
      if place == 0 || order(sorted[place - 1].text, entry.text) != .equal {
        rank = start + place + 1
      }
      ranks[Int(entry.text)] = UInt64(rank)
    }
  }

  /// Where in their texts the words of a group are taken from.
  private struct Place {
    var offset = 0
    /// The digits left of a run whose length has been compared.
    var digits = 0
  }

  /// Texts that agree up to a place.
  private struct Group {
    /// Where they stand in the order.
    let range: Range<Int>
    let place: Place
  }

  private struct Word {
    /// 0 only for a text that ends here.
    var bytes: UInt64 = 0
    /// Where the next one begins, the same in all texts with this one.
    var next: Place
    /// Whether texts with this word may differ in what it has no room for.
    var isCut = false
  }

  private struct TextSort {
    private let limit: Int
    /// By place in the order: a text.
    private var texts: [UInt32] = []
    /// Beside each of them, the word by which it is sorted now.
    private var words: [UInt64] = []
    private(set) var ranks: [UInt64]
    private var stop = StopCounter(every: 1_024)

    init(_ count: Int, _ limit: Int) {
      self.limit = limit
      texts.reserveCapacity(count)
      ranks = [UInt64](repeating: 0, count: count)
    }

    var count: Int { texts.count }

    mutating func add(_ text: UInt32) { texts.append(text) }

    @inline(__always)
    mutating func run(_ text: (UInt32) -> UnsafeBufferPointer<UInt8>) {
      words = [UInt64](repeating: 0, count: texts.count)
      var pending = [Group(range: 0..<texts.count, place: Place())]
      while let group = pending.popLast() {
        let isLarge = group.range.count > TextRanks.textsBetweenStops
        if isLarge ? StopPoint.isPassed : stop.isPassed() { return }
        if group.range.count <= TextRanks.mostCompared {
          compare(group.range, text)
        } else {
          divide(group, text, &pending)
        }
      }
    }

    /// Sorts a group by its words and leaves the groups of equal ones to be sorted.
    @inline(__always)
    private mutating func divide(
      _ group: Group, _ text: (UInt32) -> UnsafeBufferPointer<UInt8>, _ pending: inout [Group]
    ) {
      var differing: UInt64 = 0
      let first = Self.word(of: text(texts[group.range.lowerBound]), at: group.place)
      for i in group.range {
        if i % TextRanks.textsBetweenStops == 0, StopPoint.isPassed { return }
        words[i] = Self.word(of: text(texts[i]), at: group.place).bytes
        differing |= words[i] ^ first.bytes
      }
      if differing == 0 {
        return settle(group.range, first, text, &pending) { Self.common(to: $0, behind: $1, text) }
      }
      sortByWords(group.range)
      var end = group.range.upperBound
      // From the back, so that the first group is the next one.
      while end > group.range.lowerBound {
        var start = end - 1
        while start > group.range.lowerBound, words[start - 1] == words[end - 1] { start -= 1 }
        if end - start == 1 {
          ranks[Int(texts[start])] = UInt64(end)
        } else {
          let word = Self.word(of: text(texts[start]), at: group.place)
          settle(start..<end, word, text, &pending) { $1 }
        }
        end = start
      }
    }

    /// Ranks texts of one word, or leaves them to be sorted on.
    @inline(__always)
    private mutating func settle(
      _ range: Range<Int>, _ word: Word, _ text: (UInt32) -> UnsafeBufferPointer<UInt8>,
      _ pending: inout [Group], _ place: (ArraySlice<UInt32>, Place) -> Place
    ) {
      if word.bytes == 0 || range.lowerBound >= limit {
        for i in range { ranks[Int(texts[i])] = UInt64(range.lowerBound + 1) }
      } else if word.isCut {
        compare(range, text)
      } else {
        pending.append(Group(range: range, place: place(texts[range], word.next)))
      }
    }

    /// Ranks texts by comparing them.
    private mutating func compare(
      _ range: Range<Int>, _ text: (UInt32) -> UnsafeBufferPointer<UInt8>
    ) {
      func order(_ a: UInt32, _ b: UInt32) -> Ordering {
        SortOrder.naturalOrder(text(a), text(b))
      }
      if range.count <= TextRanks.mostCompared {
        for i in range.dropFirst() {
          let moving = texts[i]
          var hole = i
          while hole > range.lowerBound, order(moving, texts[hole - 1]) == .less {
            texts[hole] = texts[hole - 1]
            hole -= 1
          }
          texts[hole] = moving
        }
      } else {
        var sorted = Array(texts[range])
        try? sorted.sort { a, b in
          try stop.check()
          return order(a, b) == .less
        }
        texts.replaceSubrange(range, with: sorted)
      }
      var rank = range.lowerBound
      for i in range {
        if i > range.lowerBound, order(texts[i - 1], texts[i]) != .equal { rank = i }
        ranks[Int(texts[i])] = UInt64(rank + 1)
      }
    }

    private mutating func sortByWords(_ range: Range<Int>) {
      guard range.count <= 64 else {
        var (keys, rows) = (Array(words[range]), Array(texts[range]))
        RadixSort.sort(&keys, &rows)
        words.replaceSubrange(range, with: keys)
        texts.replaceSubrange(range, with: rows)
        return
      }
      for i in range.dropFirst() {
        let (word, text) = (words[i], texts[i])
        var hole = i
        while hole > range.lowerBound, words[hole - 1] > word {
          words[hole] = words[hole - 1]
          texts[hole] = texts[hole - 1]
          hole -= 1
        }
        words[hole] = word
        texts[hole] = text
      }
    }

    /// The next eight bytes of a text, written as the head of this file says.
    @inline(__always)
    private static func word(of text: UnsafeBufferPointer<UInt8>, at place: Place) -> Word {
      var word = Word(next: place)
      var room = 8
      while room > 0, word.next.offset < text.count {
        let byte = text[word.next.offset]
        if word.next.digits > 0 {
          word.next.digits &-= 1
        } else if byte &- 0x30 < 10 {
          if room < 2 { break }
          let length = min(digits(of: text, from: word.next.offset), 255)
          let mark: UInt64 = word.next.offset == 0 ? 0x30 : 0x01
          word.bytes = word.bytes << 16 | mark << 8 | UInt64(length)
          room &-= 2
          if length == 255 {
            word.isCut = true
            break
          }
          word.next.digits = length
          continue
        } else if byte < 3 {
          word.bytes = word.bytes << 8 | 2
          room &-= 1
          word.isCut = true
          break
        }
        word.bytes = word.bytes << 8 | UInt64(byte)
        word.next.offset &+= 1
        room &-= 1
      }
      word.bytes <<= UInt64(room &* 8)
      return word
    }

    @inline(__always)
    private static func digits(of text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
      var end = start
      while end < text.count, text[end] &- 0x30 < 10 { end &+= 1 }
      return end &- start
    }

    /// Behind all that some texts share, which agree up to a place.
    @inline(__always)
    private static func common(
      to group: ArraySlice<UInt32>, behind place: Place,
      _ text: (UInt32) -> UnsafeBufferPointer<UInt8>
    ) -> Place {
      let first = text(group[group.startIndex])
      var end = first.count
      for (index, other) in group.enumerated() {
        if index % TextRanks.textsBetweenStops == 0, StopPoint.isPassed { break }
        // Not even a word further: nothing is gained by looking on.
        if end <= place.offset { return place }
        let other = text(other)
        end = TextBytes.firstDifference(
          UnsafeBufferPointer(rebasing: first[..<end]), other, from: place.offset)
      }
      let endOfDigits = place.offset + place.digits
      if end <= endOfDigits { return Place(offset: end, digits: endOfDigits - end) }
      // The length of a run of digits that begins in what they share is not compared yet.
      while end > endOfDigits, first[end - 1] &- 0x30 < 10 { end -= 1 }
      return Place(offset: end)
    }
  }
}
