import Synchronization

// What a warm engine keeps of the row groups it has read: decoded columns, never results. Each row
// group's handle keeps the decoder that read it last (`RowGroupDecoder`) with what it decoded; this
// cache only adds up what they weigh and says who has to give something up.
//
// A scan visits all row groups once. Dropping what was unused for longest, item by item, would
// therefore be worst where it matters: with one row group too many, each visit would drop what the
// next scan needs first, and nothing would ever be found. So age is counted in scans, and nothing is
// dropped that the last two scans have used. If these alone are too much, what comes later is not
// kept: of a working set of twice the limit half is found, every time.
//
//     limit 3     scan 1 keeps a b c      (d e do not fit)
//                 scan 2 finds a b c      decodes d e
//                 scan 3 wants x y z      decodes all of them: a b c are one scan old
//                 scan 4 wants x y z      a b c are two scans old and make room: x y z stay

/// Bounds the memory of decoded chunks that open row groups keep between scans.
final class DecodedChunkCache: Sendable {
  /// Bytes that may be kept; 0 keeps nothing.
  let limit: Int
  private let state = Mutex(State())

  private struct State {
    var byteCount = 0
    /// Scans begun so far.
    var scan: UInt64 = 0
    /// The scan for which room was last made: a second search in the same scan finds nothing more.
    var sweptScan: UInt64 = 0
    var owners: [ObjectIdentifier: Owner] = [:]
  }

  private struct Owner {
    weak var handle: RowGroupHandle?
  }

  init(limit: Int) {
    self.limit = limit
  }

  /// Says that a scan begins.
  func beginScan() { state.withLock { $0.scan += 1 } }

  /// The number of the scan begun last.
  var scan: UInt64 { state.withLock { $0.scan } }

  /// Bytes kept at the moment.
  var byteCount: Int { state.withLock { $0.byteCount } }

  /// Takes note that what a handle keeps weighs `byteCount` now and weighed `former` before.
  ///
  /// - Returns: whether that fits.
  func settle(_ handle: RowGroupHandle, _ byteCount: Int, former: Int) -> Bool {
    let (fits, mayFree) = account(handle, byteCount - former)
    if fits || !mayFree { return fits }
    makeRoom()
    return state.withLock { $0.byteCount <= limit }
  }

  private func account(_ handle: RowGroupHandle, _ change: Int) -> (fits: Bool, mayFree: Bool) {
    state.withLock { state in
      state.byteCount += change
      state.owners[ObjectIdentifier(handle)] = Owner(handle: handle)
      defer { if state.byteCount > limit { state.sweptScan = state.scan } }
      return (state.byteCount <= limit, state.sweptScan < state.scan)
    }
  }

  /// Takes note that bytes that were settled are not kept after all.
  func free(_ byteCount: Int) { state.withLock { $0.byteCount -= byteCount } }

  /// Forgets a handle that goes, with what it kept.
  func remove(_ handle: ObjectIdentifier, _ byteCount: Int) {
    state.withLock { state in
      state.owners[handle] = nil
      state.byteCount -= byteCount
    }
  }

  /// Drops what was not used by the last scans, the oldest first.
  private func makeRoom() {
    let (handles, scan) = state.withLock { ($0.owners.values.compactMap(\.handle), $0.scan) }
    for age: UInt64 in [16, 8, 4, 2] where scan > age {
      for handle in handles {
        let freed = handle.dropDecoded(lastUsedUpTo: scan - age)
        if freed > 0 { state.withLock { $0.byteCount -= freed } }
      }
      // Room for more than the next few chunks, so that this is seldom done.
      if state.withLock({ $0.byteCount <= limit - limit / 8 }) { return }
    }
  }
}
