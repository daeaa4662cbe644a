/// Something about the world that stops an operation: a file, a lock, damaged bytes, a bad name.
package struct StorageError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of trouble it is; stable, for scripts and tests.
  package struct Code: Sendable, Hashable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }

    /// A file could not be opened, read, written or synced.
    package static let inputOutput = Code("input-output")
    /// The disk or the quota is full.
    package static let diskFull = Code("disk-full")
    /// Bytes on disk do not have the form or the checksum that they must have.
    package static let damaged = Code("damaged")
    /// The store or segment was written by a version this binary does not know.
    package static let unknownVersion = Code("unknown-version")
    /// The directory is no store, or the store does not exist.
    package static let noStore = Code("no-store")
    /// A log group of this name does not exist.
    package static let unknownGroup = Code("unknown-group")
    /// A log stream of this name does not exist.
    package static let unknownStream = Code("unknown-stream")
    /// Another process holds a lock that this operation needs.
    package static let busy = Code("busy")
    /// A name, time or setting is not acceptable.
    package static let invalidArgument = Code("invalid-argument")
    /// An input file cannot be read as what it claims to be.
    package static let invalidInput = Code("invalid-input")
    /// The operation was cancelled or ran out of time.
    package static let cancelled = Code("cancelled")
  }

  package let code: Code
  /// What happened, where (path, offset), what was expected and what to do, in one line or two.
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}
