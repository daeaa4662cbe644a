// The compiler counts the structs of <signal.h> to whichever C module brought them in first, and
// in a whole-module build that is this one.
import CEdit
import Glibc

/// Sets of signals.
enum SignalSet {
  static let empty: sigset_t = {
    var set = sigset_t()
    sigemptyset(&set)
    return set
  }()

  /// Ctrl-C alone.
  static let interrupt: sigset_t = {
    var set = empty
    sigaddset(&set, SIGINT)
    return set
  }()
}
