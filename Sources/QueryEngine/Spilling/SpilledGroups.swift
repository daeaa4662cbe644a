import Columnar
import LogStorage

// A `stats` of more groups than memory holds. The groups that are held go to disk in 16 parts, by the
// hashes of their keys, each with the states of its aggregates. At the end a part is read, merged and
// finished by itself; one that is still too large is dealt out again.
//
// An answer is to be the same to the last bit however much memory there is, and sums of fractions
// depend on how they are put together: first 1, then 2, then 3. So once the groups merged so far, the
// *whole*, are on disk, the partial groups of further row groups are written as they are; read again,
// they are merged into the whole one after the other, just as memory would have had it. Counts, for
// which the order is all the same, are merged in memory again and again, and come as several wholes.

/// Partial groups on disk, in parts.
struct SpilledGroups: Sendable {
  /// Partial groups as they were written.
  struct Chunk: Sendable {
    fileprivate let file: SpillFile
    fileprivate let block: SpillBlock
    /// Whether these are merged groups, and not those of one row group.
    let isWhole: Bool
  }

  /// Groups whose keys are hashed at a time.
  private static let groupsPerBatch = 4_096

  private let stats: StatsStep
  let level: Int
  private let file: SpillFile
  private(set) var parts = [[Chunk]](repeating: [], count: HashPartition.count)

  /// - Parameter level: how often the groups have been dealt out before.
  init(_ stats: StatsStep, level: Int = 0, budget: MemoryBudget) throws(QueryFailure) {
    self.stats = stats
    self.level = level
    file = try budget.disk.makeFile(for: stats.command)
  }

  /// Adds groups behind the others.
  mutating func add(_ groups: PartialGroups, isWhole: Bool) throws(QueryFailure) {
    for (part, own) in split(groups.table).enumerated() where !own.isEmpty {
      let subset = GroupSubset(own, of: groups.table.count)
      let block = try file.append { (writer: inout ByteWriter) in
        groups.write(subset, to: &writer)
      }
      parts[part].append(Chunk(file: file, block: block, isWhole: isWhole))
    }
  }

  /// The groups of each part, ascending.
  private func split(_ table: GroupTable) -> [[UInt32]] {
    var parts = [[UInt32]](repeating: [], count: HashPartition.count)
    for start in stride(from: 0, to: table.count, by: Self.groupsPerBatch) {
      if StopPoint.isPassed { break }
      let groups = (start..<min(start + Self.groupsPerBatch, table.count)).map { UInt32($0) }
      let hashes = HashPartition.hashes(of: table.keyColumns(groups), rowCount: groups.count)
      for (group, hash) in zip(groups, hashes) {
        parts[HashPartition.part(of: hash, level: level)].append(group)
      }
    }
    return parts
  }

  /// Takes over the chunks of another one, behind its own.
  mutating func absorb(_ other: SpilledGroups) {
    for part in parts.indices { parts[part] += other.parts[part] }
  }

  /// The groups of a chunk.
  func groups(of chunk: Chunk) throws(QueryFailure) -> PartialGroups {
    let stats = stats
    return try chunk.file.read(chunk.block) { (reader: inout ByteReader) in
      try PartialGroups(stats, from: &reader)
    }
  }
}

/// The groups of one part, put together.
struct PartOfGroups {
  private let stats: StatsStep
  private let budget: MemoryBudget

  init(_ stats: StatsStep, budget: MemoryBudget) {
    self.stats = stats
    self.budget = budget
  }

  /// Hands on the groups of all parts, those of each by themselves.
  func forEach(
    of spilled: SpilledGroups, _ body: (PartialGroups) throws -> Void
  ) throws {
    for chunks in spilled.parts where !chunks.isEmpty {
      try merge(chunks, of: spilled, body)
    }
  }

  private func merge(
    _ chunks: [SpilledGroups.Chunk], of spilled: SpilledGroups,
    _ body: (PartialGroups) throws -> Void
  ) throws {
    var groups: PartialGroups?
    var reserved = 0
    defer { budget.release(reserved) }
    for chunk in chunks {
      let next = try spilled.groups(of: chunk)
      if groups == nil, chunk.isWhole {
        groups = next
      } else {
        if groups == nil { groups = PartialGroups(stats) }
        groups?.merge(next)
      }
      let added = max(0, MemoryBudget.growing(groups?.byteCount ?? 0) - reserved)
      if !budget.tryReserve(added, holding: reserved) {
        if spilled.level < HashPartition.deepest, groups?.table.count ?? 0 > 1 {
          groups = nil
          budget.release(reserved)
          reserved = 0
          return try dealOut(chunks, of: spilled, body)
        }
        try budget.reserve(added, for: stats.command)
      }
      reserved += added
    }
    if let groups { try body(groups) }
  }

  private func dealOut(
    _ chunks: [SpilledGroups.Chunk], of spilled: SpilledGroups,
    _ body: (PartialGroups) throws -> Void
  ) throws {
    var parts = try SpilledGroups(stats, level: spilled.level + 1, budget: budget)
    for chunk in chunks {
      try parts.add(try spilled.groups(of: chunk), isWhole: chunk.isWhole)
    }
    try forEach(of: parts, body)
  }
}

extension PartialGroups {
  /// Writes some groups as they are.
  func write(_ subset: GroupSubset, to writer: inout ByteWriter) {
    writer.append(varint: subset.groups.count)
    for key in table.keyColumns(subset.groups) { writer.append(vector: key) }
    for state in states { state.write(subset, to: &writer) }
  }

  /// Reads groups that were written.
  init(_ stats: StatsStep, from reader: inout ByteReader) throws(DecodingFailure) {
    self.init(stats)
    let count = try reader.count(limit: .max)
    var keys: [ColumnVector] = []
    for _ in stats.keys { keys.append(try reader.vector()) }
    _ = table.assignGroups(keys: keys, rowCount: count)
    guard table.count == count else { throw DecodingFailure("two groups have one key") }
    for index in states.indices { try states[index].read(groupCount: count, from: &reader) }
  }
}
