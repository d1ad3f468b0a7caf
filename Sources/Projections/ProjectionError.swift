/// What went wrong with the projections' file, and what to do next. Nothing in it is ever lost for good: the log has it all.
package struct ProjectionError: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable {
    /// There is no file yet.
    case missing
    /// The disk is full, the file system read-only, or the file locked: the same again later may work.
    case unwritable
    /// It is no projections' file, or its rows make no sense.
    case unreadable
    /// The question makes no sense.
    case invalid
  }
  package var kind: Kind
  package var message: String
  package var mend: String?
  package init(_ kind: Kind, _ message: String, mend: String? = nil) {
    self.kind = kind
    self.message = message
    self.mend = mend
  }
  package var description: String { mend.map { "\(message)\n  \($0)" } ?? message }
}
