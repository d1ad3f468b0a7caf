import Dispatch
import GRDB

/// Moves what was committed from the write-ahead log into its file on another thread, so that the one that writes the tables needs not to.
///
/// A passive checkpoint: it waits for nobody. Where it fails, the writer's own checkpoint does the work later.
final class WriteAheadTidying: Sendable {
  private let queue = DispatchQueue(label: "tocsin.projections.tidying")
  private let connection: DatabaseQueue?

  init(_ path: String) {
    connection = try? DatabaseQueue(path: path)
  }

  func begin() {
    guard let connection else { return }
    queue.async { _ = try? connection.inDatabase { db in try db.checkpoint(.passive) } }
  }

  /// Returns once what was begun is done and its connection is closed: before the store may close its own, since the last one of a file to go takes the
  /// write-ahead log away that stands at its path.
  func end() {
    queue.sync {}
    try? connection?.close()
  }
}
