import Alerts
import Bus
import Foundation
import Synchronization

/// A service as small as the protocol allows: takes anomalies by (producer, sequence), answers commands, gives jobs. It can be stopped
/// as a crash would, and started again at the same endpoints with what it had stored.
final class TestService: Sendable {
  struct Seen: Sendable {
    /// What was stored, by producer and sequence, in the order in which it came first.
    var stored: [String: [UInt64: [String]]] = [:]
    /// A sequence that came again, and how often.
    var repeats = 0
    /// A sequence that came again with other anomalies: a broken promise.
    var conflicts = 0
    var commands: [String] = []
    var receipts: [String] = []
    var heartbeats: [String] = []
    var ready: [(worker: String, credit: Int, channels: [String])] = []
    var counters = GatewayCounters()
  }
  struct Manners: Sendable {
    var answersAnomalies = true
    /// Commands whose first so many tries get no reply.
    var ignoredCommands = 0
    /// Given to the next workers that ask.
    var jobs: [Job] = []
    /// An anomaly of this text is rejected.
    var bad = "bad"
  }

  let seen = Mutex(Seen())
  let manners: Mutex<Manners>
  let settings: ConnectionSettings
  private let server: GatewaySettings
  private let stopping = Mutex<(GatewayWaker?, DispatchSemaphore, Bool)>((nil, DispatchSemaphore(value: 0), false))

  init(_ manners: Manners = Manners(), keys: (server: CurveKeyPair, clients: [GatewaySettings.Client])? = nil) throws {
    self.manners = Mutex(manners)
    // Ports that the system gives, and that stay the same over a restart.
    var server = GatewaySettings(gateway: "tcp://127.0.0.1:*", feed: "tcp://127.0.0.1:*")
    server.keys = keys?.server
    server.clients = keys?.clients ?? []
    do {
      let gateway = try Gateway(server)
      server.gateway = gateway.endpoint
      server.feed = gateway.feedEndpoint
    }
    self.server = server
    settings = ConnectionSettings(gateway: server.gateway, feed: server.feed)
    try start()
  }

  func start() throws {
    var gateway: Gateway?
    // The ports of a gateway that has just gone may take a moment.
    for _ in 0..<100 where gateway == nil {
      gateway = try? Gateway(server)
      if gateway == nil { usleep(20_000) }
    }
    guard let gateway else { throw BusError(.socket, "the test's ports are not free") }
    let ended = DispatchSemaphore(value: 0)
    stopping.withLock { $0 = (gateway.waker, ended, false) }
    let box = Box(gateway)
    Thread.detachNewThread { [self] in
      run(box.take())
      ended.signal()
    }
  }

  func stop() {
    let (waker, ended) = stopping.withLock { state in
      state.2 = true
      defer { state.0 = nil }
      return (state.0, state.1)
    }
    guard let waker else { return }
    waker.wake()
    ended.wait()
  }

  deinit { stop() }

  private final class Box: @unchecked Sendable {
    // Handed to the one thread that uses it.
    private var gateway: Gateway?
    init(_ gateway: Gateway) { self.gateway = gateway }
    func take() -> Gateway? {
      defer { gateway = nil }
      return gateway
    }
  }

  private func run(_ gateway: Gateway?) {
    guard let gateway else { return }
    while !stopping.withLock({ $0.2 }) {
      try? gateway.wait(until: 1_000_000)
      for incoming in gateway.receive(limit: 10_000) { answer(incoming, gateway) }
      seen.withLock { $0.counters = gateway.counters }
    }
  }

  private func answer(_ incoming: Incoming, _ gateway: Gateway) {
    let manners = manners.withLock { $0 }
    switch incoming {
    case .anomalies(let peer, let producer, let sequence, let bytes):
      let events = bytes.map { String(decoding: $0, as: UTF8.self) }
      let isNew = seen.withLock { seen in
        guard let known = seen.stored[producer]?[sequence] else {
          seen.stored[producer, default: [:]][sequence] = events
          return true
        }
        seen.repeats += 1
        if known != events { seen.conflicts += 1 }
        return false
      }
      guard manners.answersAnomalies else { return }
      let bad = events.indices.filter { events[$0] == manners.bad }
      let good = events.count - bad.count
      gateway.send(
        .stored(
          sequence: sequence,
          json: [
            "accepted": .int(isNew ? good : 0), "duplicates": .int(isNew ? 0 : good),
            "rejected": .array(bad.map { ["index": .int($0), "error": "is bad"] }),
          ]), to: peer)
    case .command(let peer, let id, let bytes):
      let json = String(decoding: bytes, as: UTF8.self)
      seen.withLock { $0.commands.append(id) }
      if self.manners.withLock({ m in
        defer { m.ignoredCommands -= 1 }
        return m.ignoredCommands > 0
      }) {
        return
      }
      if json.contains("refuse") {
        gateway.send(
          .reply(requestID: id, json: Reply(.failure(CommandError(.stale_version, "too old"))).json), to: peer)
      } else {
        gateway.send(
          .reply(requestID: id, json: ["ok": true, "wanted": .bool(!json.contains("cancelled")), "echo": .raw(bytes)]),
          to: peer)
      }
    case .ready(let peer, let worker, let credit, let channels):
      seen.withLock { $0.ready.append((worker, credit, channels)) }
      let jobs = self.manners.withLock { m in
        let jobs = m.jobs.prefix(credit)
        m.jobs.removeFirst(jobs.count)
        return jobs
      }
      for job in jobs { gateway.send(.job(job.json), to: peer) }
    case .receipt(_, _, let json): seen.withLock { $0.receipts.append(String(decoding: json, as: UTF8.self)) }
    case .heartbeat(_, let name, let json):
      seen.withLock { $0.heartbeats.append("\(name) \(String(decoding: json, as: UTF8.self))") }
    case .left: break
    }
  }
}

/// Waits until it holds; false after ten seconds, which a loaded machine may need and a passing test never does.
func eventually(seconds: Double = 10, _ holds: () throws -> Bool) async rethrows -> Bool {
  let deadline = monotonicMicroseconds() + Int64(seconds * 1_000_000)
  while try !holds() {
    if monotonicMicroseconds() > deadline { return false }
    try? await Task.sleep(nanoseconds: 5_000_000)
  }
  return true
}

/// A directory that is gone with its test.
final class TemporaryDirectory: Sendable {
  let path: String
  init() throws {
    path = NSTemporaryDirectory() + "tocsin-bus-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}
