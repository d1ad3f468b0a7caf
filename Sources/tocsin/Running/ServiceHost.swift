import Alerts
import Bus
import EventLog
import Foundation
import Lifecycle
import Logging
import Service
import Synchronization

/// The lifecycle service on its thread.
final class ServiceHost: Sendable {
  let status = ServiceStatus()
  private let control = Mutex<ServiceControl?>(nil)
  private let replacement = Mutex<(@Sendable ([GatewaySettings.Client]) -> Void)?>(nil)
  /// How far the tables are, once there is somebody who fills them.
  private let tables = Mutex<(@Sendable () -> Int64)?>(nil)
  private let onCommit: @Sendable (Int64) -> Void
  private let logger: Logger
  private let end = AsyncStream<(any Error)?>.makeStream(bufferingPolicy: .bufferingNewest(1))

  init(logger: Logger, onCommit: @escaping @Sendable (Int64) -> Void) {
    self.logger = logger
    self.onCommit = onCommit
  }

  /// Opens the log, binds the endpoints and replays. Returns once anomalies and commands are taken.
  func start(
    log path: String, gateway settings: GatewaySettings, lifecycle: LifecycleSettings, audit: AuditSettings? = nil
  ) async throws {
    try await withCheckedThrowingContinuation { (started: CheckedContinuation<Void, any Error>) in
      let thread = Thread { [self] in
        let service: Service
        var writer: ThreadWriter?
        do {
          let log = try SQLiteEventLog(path: path, makesRoom: true)
          let gateway = try Gateway(settings)
          let waker = gateway.waker
          let control = ServiceControl { waker.wake() }
          writer = ThreadWriter(log) { waker.wake() }
          service = Service(
            log: log, gateway: gateway, clock: SystemClock(book: try TimeBook(path: "\(path)-leases")),
            control: control, status: status, writer: writer,
            logger: logger, snapshots: SnapshotFile(logPath: path), intake: IntakeShelf(logPath: path),
            leases: try LeaseBook(path: "\(path)-leases"), heartbeats: try HeartbeatBook(path: "\(path)-leases"),
            audit: audit,
            tables: { self.tables.withLock { $0 }?() }, onCommit: onCommit)
          try service.start(settings: lifecycle)
          self.control.withLock { $0 = control }
          replacement.withLock { $0 = gateway.replacement }
        } catch {
          writer?.close()
          started.resume(throwing: error)
          return
        }
        started.resume()
        do {
          try service.run()
          writer?.close()
          end.continuation.yield(nil)
        } catch {
          writer?.close()
          logger.critical("the service ends", metadata: ["why": "\(error)"])
          end.continuation.yield(error)
        }
        end.continuation.finish()
      }
      thread.name = "tocsin service"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  func adopt(_ settings: LifecycleSettings) { control.withLock { $0 }?.adopt(settings) }
  func adopt(_ settings: AuditSettings) { control.withLock { $0 }?.adopt(settings) }
  /// Has the auditor watch how far the tables are.
  func watch(tables: @escaping @Sendable () -> Int64) { self.tables.withLock { $0 = tables } }
  /// A key that is no longer among them is refused from its next message on.
  func adopt(clients: [GatewaySettings.Client]) { replacement.withLock { $0 }?(clients) }
  func stop() { control.withLock { $0 }?.stop() }

  /// Returns when it was stopped; throws what ended it.
  func wait() async throws {
    for await error in end.stream { if let error { throw error } }
  }
}
