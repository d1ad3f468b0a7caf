import Foundation
import GRDB

extension EventLogReader {
  /// Copies the log as it is at this moment to `file`, and its archives beside that, while the service goes on. The copy is synced and
  /// verified before it gets its name.
  ///
  /// - Parameter overwrites: whether a file that is there is replaced, once the copy is whole.
  /// - Returns: what the verification of the copy found. If it is not sound, there is no `file`: the copy is left beside it as `….partial`.
  /// - Throws: ``EventLogError``.
  package func backup(to file: String, overwrites: Bool = false) throws -> LogReport {
    let files = FileManager.default
    if !overwrites, files.fileExists(atPath: file) {
      throw EventLogError(
        .unwritable, "there is a file \(file) already", mend: "choose another name, or replace it with --replace")
    }
    let partial = file + ".partial"
    let folder = (file as NSString).deletingLastPathComponent
    do {
      if !folder.isEmpty { try files.createDirectory(atPath: folder, withIntermediateDirectories: true) }
      for leftover in [partial, partial + "-wal", partial + "-shm"] where files.fileExists(atPath: leftover) {
        try files.removeItem(atPath: leftover)
      }
    } catch {
      throw EventLogError(
        .unwritable, "\(partial) can't be made: \(error.localizedDescription)",
        mend: "check the folder's owner and free space")
    }
    // The archives first: whatever the copy will name is there then, since an archive is never taken away.
    do {
      try pool.writeWithoutTransactionOrReader { db in
        try db.execute(sql: "VACUUM INTO ?", arguments: [partial])
      }
      let copy = ArchiveShelf(logPath: file)
      let queue = try DatabaseQueue(path: partial)
      let archives = try queue.inDatabase { try copy.archives($0) }
      try queue.close()
      for archive in archives { try WholeFile.copy(shelf.path(archive.file), to: copy.path(archive.file)) }
      try WholeFile.sync(partial)
    } catch { throw error is DatabaseError ? EventLogError.explain(error, partial) : error }
    let report = try EventLogReader(path: partial).verify()
    for rest in ["-wal", "-shm"] { try? files.removeItem(atPath: partial + rest) }
    guard report.isSound else { return report }
    try WholeFile.rename(partial, file)
    return report
  }
}

extension DatabasePool {
  /// `VACUUM INTO` can't stand in a transaction, and must not be given to a connection that another reader uses.
  fileprivate func writeWithoutTransactionOrReader(_ body: (Database) throws -> Void) throws {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(5)
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    try queue.inDatabase(body)
    try queue.close()
  }
}
