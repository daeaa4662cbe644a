import Glibc

/// Where the shell keeps its history.
enum HistoryFile {
  /// `$XDG_STATE_HOME/varve/history`, else `~/.local/state/varve/history`; its folder is made if
  /// need be. `nil` when there is no place for it, which costs the history and nothing else.
  static func path() -> String? {
    guard let state = stateFolder() else { return nil }
    let folder = state + "/varve"
    guard makeFolder(folder) else { return nil }
    return folder + "/history"
  }

  private static func stateFolder() -> String? {
    if let state = Terminal.environment("XDG_STATE_HOME"), state.hasPrefix("/") { return state }
    return Terminal.environment("HOME").map { $0 + "/.local/state" }
  }

  /// Makes a folder and those above it, for this user only.
  private static func makeFolder(_ path: String) -> Bool {
    if mkdir(path, 0o700) == 0 || errno == EEXIST { return true }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
      return false
    }
    return makeFolder(String(path[..<slash])) && mkdir(path, 0o700) == 0
  }
}
