package import Alerts
import Synchronization

/// A notifier worker's connection: takes jobs, gives receipts. One thread of its own.
package final class WorkerClient: JobPort {
  /// How long an answer to "is it still wanted" is waited for. Shorter than a lease, and than a person's patience.
  static let wantedTimeout = Interval.seconds(2)

  private let link: Link<WorkerMachine>
  private let ids = Mutex(RequestIDs())

  /// `worker` names it in receipts and heartbeats, for ever: `notifier/1`.
  package init(_ settings: ConnectionSettings, worker: String) throws(BusError) {
    guard !worker.isEmpty, worker.utf8.count <= Limits.nameBytes, !worker.utf8.contains(where: { $0 < 0x20 }) else {
      throw BusError(.refused, "a worker's name has 1 to \(Limits.nameBytes) bytes, and no control characters")
    }
    link = try Link(settings, name: "tocsin-worker", WorkerMachine(worker: worker))
  }

  /// One stream at a time: a second call ends the first. Ending the stream takes the worker out of service; its receipts still go out.
  package func jobs(channels: [String], credit: Int) -> AsyncStream<Job> {
    let credit = max(1, min(credit, Limits.credit))
    // The service keeps to the credit; a few more may come while a `ready` and a job pass each other.
    let (stream, continuation) = AsyncStream.makeStream(
      of: Job.self, bufferingPolicy: .bufferingOldest(2 * credit + 16))
    let link = link
    let isOpen = link.perform { machine, _, _ in
      machine.begin(channels: Array(channels.prefix(Limits.channels)), credit: credit, continuation)
    }
    guard isOpen else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { _ in link.perform { machine, _, _ in machine.pause() } }
    return stream
  }

  package func receipt(_ receipt: Receipt) async {
    let bytes = receipt.json.bytes
    let key = receipt.key
    link.perform { machine, _, now in machine.receipt(bytes, of: key, now: now) }
  }

  package func wanted(_ key: String) async -> Bool {
    let id = ids.withLock { $0.next() }
    let json = Command(.wanted(key: key), by: "notifier").json.bytes
    let deadline = monotonicMicroseconds() + WorkerClient.wantedTimeout.microseconds
    let result = await withCheckedContinuation { (continuation: RequestTable.Continuation) in
      let isOpen = link.perform { machine, _, now in
        machine.ask(id, json, deadline: deadline, now: now, continuation)
      }
      if !isOpen { continuation.resume(returning: .failure(BusError(.closed, "closed"))) }
    }
    guard case .success(let reply) = result else { return true }
    return reply["wanted"]?.bool ?? true
  }

  package func heartbeat(_ json: JSON) async {
    let bytes = json.bytes
    link.perform { machine, _, _ in machine.beat(bytes) }
  }

  /// Ends the thread, after the half second that the last receipts have to leave.
  package func close() { link.close(waiting: true) }
}

/// A worker's side of the protocol.
final class WorkerMachine: LinkMachine {
  static let heartbeatInterval: Int64 = 10_000_000
  /// Nothing answers a receipt. Those of the last minute are said again on another connection: the service knows a repeat by key and
  /// attempt. An older one that was lost is made good by the lease's end.
  static let receiptMemory: Int64 = 60_000_000
  /// Receipts that are remembered, or wait for a connection; beyond, the oldest are left to their leases' ends.
  static let receiptLimit = 10_000
  /// Of a heartbeat, of which the service reads 64 KiB.
  static let heldBytes = 32 * 1024
  /// Without a connection for so long, the service will have given what waits here to others: it is not begun any more.
  static let cutOff: Int64 = 20_000_000

  private let worker: [UInt8]
  private(set) var requests = RequestTable()
  private var channels: [String] = []
  private var credit = 0
  private var stream: AsyncStream<Job>.Continuation?
  /// Jobs that were taken and have no receipt yet, with their leases' ends as the monotonic clock counts.
  private var open: [String: Int64] = [:]
  /// In the order in which they came; those before ``sent`` went out on this connection.
  private var receipts: [(key: String, json: [UInt8], at: Int64)] = []
  private var sent = 0
  private var mustAsk = false
  private var lostAt: Int64?
  private var beat: (json: [UInt8], at: Int64) = (Array("{}".utf8), 0)

  init(worker: String) { self.worker = Array(worker.utf8) }

  func begin(channels: [String], credit: Int, _ stream: AsyncStream<Job>.Continuation) {
    let earlier = self.stream
    self.channels = channels
    self.credit = credit
    self.stream = stream
    mustAsk = true
    earlier?.finish()
  }

  func pause() {
    stream = nil
    credit = 0
    mustAsk = true
  }

  func receipt(_ json: [UInt8], of key: String, now: Int64) {
    open[key] = nil
    receipts.append((key, json, now))
    if receipts.count > WorkerMachine.receiptLimit { forget(WorkerMachine.receiptLimit / 10) }
    mustAsk = true
  }

  private func forget(_ oldest: Int) {
    receipts.removeFirst(oldest)
    sent = max(0, sent - oldest)
  }

  func beat(_ json: [UInt8]) { beat = (json, 0) }

  /// Whether the service has not been there for so long that what waits here is no longer this worker's.
  func isCutOff(now: Int64) -> Bool { lostAt.map { now - $0 >= WorkerMachine.cutOff } ?? false }

  /// Whether a job is still wanted. What waited through a long cut is not: nobody has to be asked.
  func ask(_ id: String, _ json: [UInt8], deadline: Int64, now: Int64, _ continuation: RequestTable.Continuation) {
    guard !isCutOff(now: now) else { return continuation.resume(returning: .success(["wanted": false])) }
    requests.add(id, json, deadline: deadline, continuation)
  }

  func connected(_ wire: Wire, now: Int64) {
    lostAt = nil
    sent = 0
    mustAsk = true
    beat.at = 0
    requests.reconnected()
  }

  func received(_ frames: [[UInt8]], _ wire: Wire, now: Int64) {
    if requests.take(frames) { return }
    guard frames.count == 3, frames[1].elementsEqual("job".utf8), let json = try? JSON(parsing: frames[2]),
      let job = try? Job(json: json), let stream
    else { return }
    // A lease lasts minutes; one that a clock elsewhere makes endless does not hold the credit for ever.
    open[job.key] = now + 600_000_000
    if case .terminated = stream.yield(job) { pause() }
  }

  func due(_ wire: Wire, now: Int64) -> Int64? {
    let requestsDue = requests.due(wire, now: now) { "" }
    guard wire.isConnected else {
      if lostAt == nil { lostAt = now }
      return requestsDue
    }
    while sent < receipts.count, wire.send(frames("receipt", receipts[sent].json)) { sent += 1 }
    if now >= beat.at {
      forget(receipts[..<sent].prefix { now - $0.at > WorkerMachine.receiptMemory }.count)
      _ = wire.send(frames("heartbeat", sayingWhatIsHeld(beat.json)))
      beat.at = now + WorkerMachine.heartbeatInterval
      // With it the credit is said again, so that whatever was lost on either side lasts ten seconds at most.
      mustAsk = mustAsk || stream != nil
      open = open.filter { $0.value > now }
    }
    if mustAsk {
      let wanted = max(0, credit - open.count)
      let names = JSON.array(channels.map { .string($0) }).bytes
      mustAsk = !wire.send(
        [Array("TOCSIN1".utf8), Array("ready".utf8), worker, Array(String(wanted).utf8), names])
    }
    return min(beat.at, requestsDue ?? .max)
  }

  /// A heartbeat with the jobs that were taken and whose receipts have not gone out: the service need not wait for the leases of those that are not among
  /// them after a new start, nor for any once this worker is not heard any more.
  private func sayingWhatIsHeld(_ json: [UInt8]) -> [UInt8] {
    let held = Set(open.keys).union(receipts[sent...].map(\.key)).sorted()
    let list = JSON.array(held.map { .string($0) }).bytes
    // What does not fit is not said at all: then leases last as long as they were given for.
    guard json.last == UInt8(ascii: "}"), list.count <= WorkerMachine.heldBytes else { return json }
    return json.dropLast() + Array((json.count > 2 ? ",\"holds\":" : "\"holds\":").utf8) + list + [UInt8(ascii: "}")]
  }

  func closed(_ reason: BusError) {
    requests.closed(reason)
    stream?.finish()
  }

  private func frames(_ kind: String, _ json: [UInt8]) -> [[UInt8]] {
    [Array("TOCSIN1".utf8), Array(kind.utf8), worker, json]
  }
}
