import EventLog
import Foundation
import Logging
import Projections

/// The projections of a simulated log, which grow as it does, a batch at a time, by a process that goes down now and then; and at the end are rebuilt in
/// one go, to see that both are the same.
final class Tables {
  private let folder: URL
  private let grown: SimulatedReader
  private let log: MemoryEventLog
  private var store: ProjectionStore?
  private static let logger = Logger(label: "simulation", factory: { _ in SwiftLogNoOpLogHandler() })

  init(_ log: MemoryEventLog, drifts: Bool) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-simulation-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    self.log = log
    grown = SimulatedReader(log, drifts: drifts)
  }

  private func open(_ name: String) throws -> ProjectionStore {
    try ProjectionStore(path: folder.appendingPathComponent(name).path, logger: Tables.logger)
  }

  func grow(batch: Int) throws {
    let store = try self.store ?? open("grown.sqlite")
    self.store = store
    try store.catchUp(from: grown, batch: batch)
  }

  /// Their file is deleted.
  func drop() {
    store = nil
    for end in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent("grown.sqlite\(end)"))
    }
  }

  /// Their process goes down.
  func crash() { store = nil }

  /// The first row that is not the same; nil if all are.
  func differ() throws -> String? {
    try grow(batch: 1000)
    let rebuilt = try open("rebuilt.sqlite")
    try rebuilt.catchUp(from: SimulatedReader(log, drifts: false))
    return try rebuilt.difference(from: folder.appendingPathComponent("grown.sqlite").path)
  }

  func discard() {
    store = nil
    try? FileManager.default.removeItem(at: folder)
  }
}
