/// What a scan may know of a query's filter: a condition on one field of the event itself.
///
/// This is the seam between the engine and the store. The engine hands the conjuncts of its
/// leading filters down in this form; the store uses them to *skip* row groups (time, shapes, zone
/// maps, dictionaries) and never to decide a row: the engine evaluates the filter again on what
/// comes back. A predicate that the store cannot judge is simply not used.
package struct FieldPredicate: Sendable {
  package enum Comparison: Sendable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  }

  package enum Test: Sendable {
    /// The field compared with a literal, by the rules of the language's comparisons.
    case compare(Comparison, Value)
    /// The field equals one of the literals.
    case oneOf([Value])
    /// The field has a value.
    case present
    /// The field's text contains these bytes (ASCII case folded when asked).
    case contains([UInt8], ignoringCase: Bool)
  }

  /// Dotted display name of the field as a query writes it (`http.status`, `@message`).
  package let field: String
  package let test: Test

  package init(field: String, test: Test) {
    self.field = field
    self.test = test
  }
}
