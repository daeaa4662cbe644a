import ArgumentParser
import Columnar
import LogStorage

/// `varve head`: what to keep elsewhere so that nobody can change the past unseen.
struct HeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "head",
    abstract: "Print the SHA-256 of the manifest's last record, to be kept elsewhere.",
    discussion: """
      Each record of the manifest carries the SHA-256 of the one before it and those of the segments \
      it adds. Who keeps the head on another machine can tell later whether anything before it was \
      changed, removed or inserted:

      varve head >> /mnt/elsewhere/varve-heads
      varve verify --chain --head "$(tail -n 1 /mnt/elsewhere/varve-heads)"

      Records are kept for 90 days. A newer head that was kept right after the older one was found in the \
      chain vouches for all before it, so print one more often than that.
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: ReportOptions

  func run() throws {
    let head = try store.open(.readOnly).head()
    var out = OutputBuffer.standardOutput()
    if output.output == .json {
      out.append(
        JSONText.object {
          $0.add("head", hexadecimal(head.digest))
          $0.add("generation", Int(clamping: head.generation))
        } + "\n")
    } else {
      out.append(hexadecimal(head.digest) + "\n")
    }
    try out.flush()
  }
}

/// `varve audit`: what was removed, when and why.
struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "List what was removed from the store, when and why.",
    discussion: """
      Every removal is a record of the manifest: events past their retention, surplus above a size \
      limit, deletions, and what a repair could not save. 'varve verify --chain' tells whether the records \
      are those that were written. Records are kept for 90 days.
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    var listing = Listing(
      ("time", .time), ("group", .text), ("reason", .text), ("events", .count),
      ("segments", .count), ("record", .count), ("note", .text))
    for removal in try store.open(.readOnly).removals() {
      listing.add(
        .timestamp(removal.time), .string(removal.logGroup), .string("\(removal.reason)"),
        Value(removal.rowCount), Value(removal.segmentCount), Value(removal.generation),
        removal.note.map { .string($0) } ?? .missing)
    }
    try listing.print(as: output.format)
  }
}
