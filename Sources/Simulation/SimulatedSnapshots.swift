import Alerts
import EventLog
import Foundation
import Lifecycle
import Service

/// Snapshots of the service's state on a disk that does not keep them well, written and read by the code of production, which must not believe what it finds
/// there.
///
/// `@unchecked Sendable`: a world and everything in it is used from one thread.
final class SimulatedSnapshots: SnapshotStore, @unchecked Sendable {
  /// What became of the newest.
  enum Condition: String, CaseIterable {
    case none, sound, flipped, torn, ofAnotherBuild, ofAnotherLog, ahead
    /// One that was taken before the newest: sound, and a longer start.
    case older
    var isSound: Bool { self == .sound || self == .older }
  }

  private let folder: URL
  private let file: SnapshotFile
  private let elsewhere: SnapshotFile
  private let believesAll: Bool
  private(set) var condition = Condition.none
  private var older: Data?
  /// What the last start made of it: the position that it began with, or why it did not.
  private(set) var lastRead: Result<Int64, SnapshotFile.Doubt>?

  private static let form: UInt32 = 1

  init(believesAll: Bool) throws {
    self.believesAll = believesAll
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-snapshots-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let log = folder.appendingPathComponent("log").path
    file = SnapshotFile(logPath: log, form: SimulatedSnapshots.form)
    elsewhere = SnapshotFile(logPath: log, form: SimulatedSnapshots.form + 1)
  }

  private var url: URL { URL(fileURLWithPath: file.path) }

  /// Of a state in which all that was decided is on disk.
  func take(_ engine: Engine, _ log: SimulatedLog, now: Timestamp) throws {
    guard let state = engine.snapshot(now: now) else { return }
    if condition.isSound { older = FileManager.default.contents(atPath: file.path) }
    try file.write(state, position: log.head, hash: log.headHash)
    condition = .sound
  }

  /// Something happens to the one that is there.
  func spoil(_ draw: inout Draw, _ log: SimulatedLog) throws {
    guard condition != .none, var bytes = FileManager.default.contents(atPath: file.path) else { return }
    switch draw.below(7) {
    case 0:
      bytes[draw.below(bytes.count)] ^= UInt8(1 << draw.below(8))
      try bytes.write(to: url)
      condition = .flipped
    case 1:
      try bytes.prefix(draw.below(bytes.count)).write(to: url)
      condition = .torn
    case 2:
      try elsewhere.write(state(bytes), position: log.head, hash: log.headHash)
      condition = .ofAnotherBuild
    case 3:
      try file.write(state(bytes), position: log.head, hash: [UInt8](repeating: 7, count: 32))
      condition = .ofAnotherLog
    case 4:
      try file.write(state(bytes), position: log.head + 1 + Int64(draw.below(5)), hash: log.headHash)
      condition = .ahead
    case 5:
      guard let older else { return }
      try older.write(to: url)
      condition = .older
    default:
      try FileManager.default.removeItem(at: url)
      condition = .none
    }
  }

  /// Between the header and the checksum.
  private func state(_ bytes: Data) -> [UInt8] { [UInt8](bytes.dropFirst(52).dropLast(32)) }

  func discard() { try? FileManager.default.removeItem(at: folder) }

  // MARK: - The service's side

  func read(for log: some EventLog) throws(SnapshotFile.Doubt) -> SnapshotFile.Snapshot {
    do throws(SnapshotFile.Doubt) {
      if believesAll { try? believe(log) }
      let found = try file.read(for: log)
      lastRead = .success(found.position)
      return found
    } catch {
      lastRead = .failure(error)
      throw error
    }
  }

  /// Gives whatever is there the header and checksum of a sound one of this log.
  private func believe(_ log: some EventLog) throws {
    guard let bytes = FileManager.default.contents(atPath: file.path), bytes.count > 84 else { return }
    let position = [UInt8](bytes).withUnsafeBytes {
      Int64(littleEndian: $0.loadUnaligned(fromByteOffset: 12, as: Int64.self))
    }
    guard let hash = try log.hash(at: position) else { return }
    try file.write(state(bytes), position: position, hash: hash)
  }

  /// The service takes one after a hundred thousand events, on another thread: the world takes its own instead, at moments that the seed draws.
  func write(_ state: [UInt8], position: Int64, hash: [UInt8]) throws(EventLogError) {}
}
