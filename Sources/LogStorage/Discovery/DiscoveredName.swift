/// Names of discovered fields. A field of an object whose own name begins with `@` is written with
/// one more, so that it is told apart from the fields of the system: `{"@timestamp":…}` gives
/// `@@timestamp`.
package enum DiscoveredName {
  /// The name under which queries find the field at a path of an object.
  package static func name(ofPath path: String) -> String {
    path.hasPrefix("@") ? "@" + path : path
  }

  /// The path that a name stands for.
  package static func path(ofName name: String) -> String {
    name.hasPrefix("@@") ? String(name.dropFirst()) : name
  }
}
