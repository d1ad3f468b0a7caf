import Alerts
import Dispatch
package import EventLog
import Glibc
import Lifecycle
import Logging
import Synchronization

/// Where a service keeps the newest snapshot of its state.
package protocol SnapshotStore: Sendable {
  /// The newest, if nothing about it is in doubt.
  func read(for log: some EventLog) throws(SnapshotFile.Doubt) -> SnapshotFile.Snapshot
  /// May run on any thread.
  func write(_ state: [UInt8], position: Int64, hash: [UInt8]) throws(EventLogError)
}

extension SnapshotFile: SnapshotStore {}

extension SnapshotFile {
  /// The snapshots of this very program: those of another build are replayed anew, since it may judge the same facts otherwise.
  package init(logPath: String) {
    let form = StableHash("\(Engine.snapshotForm) \(SnapshotFile.build)")
    self.init(logPath: logPath, form: UInt32(truncatingIfNeeded: form.low))
  }

  /// What tells this program's file from another build's.
  private static let build: String = {
    var s = stat()
    guard stat("/proc/self/exe", &s) == 0 else { return "unknown" }
    return "\(s.st_size) \(s.st_mtim.tv_sec) \(s.st_mtim.tv_nsec)"
  }()
}

/// When snapshots are taken: often enough that a start is short, seldom enough that they cost next to nothing.
///
/// The state is a value: a copy of it is packed and written on another thread while the service goes on. What the service changes meanwhile is copied
/// then, a page or a table at a time; with a million dedup keys that is some ten milliseconds, once for each snapshot.
struct Snapshots {
  /// A start replays at most so many events, and what came in ``pause``: a fraction of a second.
  static let eventsBetween: Int64 = 100_000
  static let pause = Interval.seconds(20)
  /// A log of fewer events is read as fast.
  static let smallest: Int64 = 1000

  let store: any SnapshotStore
  private var position: Int64 = 0
  /// When the last one was taken; before the first, when it was asked for first.
  private var takenAt: Timestamp?
  private let isBusy = Busy()
  private let queue = DispatchQueue(label: "tocsin.snapshots", qos: .utility)

  private final class Busy: Sendable {
    let value = Atomic(false)
  }

  init(_ store: any SnapshotStore) { self.store = store }

  /// The state to begin with, or nil to begin with the first event.
  mutating func restore(_ log: any EventLog, logger: Logger) -> Engine? {
    do throws(SnapshotFile.Doubt) {
      let snapshot = try store.read(for: log)
      guard let engine = snapshot.state.withUnsafeBytes({ Engine(snapshot: $0) }), engine.head == snapshot.position
      else { throw SnapshotFile.Doubt(description: "the snapshot at position \(snapshot.position) makes no sense") }
      position = snapshot.position
      return engine
    } catch {
      if log.head >= Snapshots.smallest {
        logger.info("no snapshot; the log is replayed from its beginning", metadata: ["why": "\(error)"])
      }
      return nil
    }
  }

  /// Takes one if it is time. To be called when everything that was decided is committed.
  mutating func takeIfDue(_ engine: Engine, _ log: any EventLog, now: Timestamp, logger: Logger) {
    let since = takenAt ?? now
    takenAt = since
    guard log.head - position >= Snapshots.eventsBetween, now - since >= Snapshots.pause || now < since,
      engine.head == log.head, !isBusy.value.load(ordering: .acquiring)
    else { return }
    position = log.head
    takenAt = now
    write(engine, log, now, logger)
  }

  /// The last one, when the service stops in good order. Returns when it is written.
  mutating func finish(_ engine: Engine, _ log: any EventLog, now: Timestamp, logger: Logger) {
    if log.head > position, log.head >= Snapshots.smallest, engine.head == log.head {
      write(engine, log, now, logger)
    }
    queue.sync {}
  }

  private func write(_ engine: Engine, _ log: any EventLog, _ now: Timestamp, _ logger: Logger) {
    let (store, isBusy, position, hash) = (store, isBusy, log.head, log.headHash)
    isBusy.value.store(true, ordering: .releasing)
    queue.async {
      defer { isBusy.value.store(false, ordering: .releasing) }
      guard let state = engine.snapshot(now: now) else { return }
      do { try store.write(state, position: position, hash: hash) } catch {
        logger.warning("a snapshot can't be written; the next start takes longer", metadata: ["why": "\(error)"])
      }
    }
  }
}
