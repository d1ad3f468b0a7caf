package import Alerts
package import Bus
import CrashPoints
import Foundation
package import Logging

/// Takes jobs, makes one try at each, and says what became of it. When to try again is the service's to decide.
///
/// Each destination has a queue of its own, so that a slow receiver delays nobody else.
package actor NotifierWorker {
  package struct Limits: Sendable {
    /// Jobs held at once, waiting or in flight: the bound of everything in here.
    package var credit = 256
    /// A destination may hold more jobs than this only while it keeps up.
    package var slowShare = 32
    /// A destination whose oldest job has waited this long does not keep up: what it holds beyond ``slowShare`` is handed back.
    package var slowAfter = Interval.seconds(2)
    /// What would wait longer for its destination's pace is handed back with the time at which its turn comes.
    package var holdAfter = Interval.seconds(2)
    /// How long the service should keep what was handed back.
    package var handBackFor = Interval.seconds(30)
    /// A job that waited longer than this may have been cancelled since, so the service is asked.
    package var freshFor = Interval.milliseconds(200)
    /// How long a stop waits for what is in flight.
    package var grace = Interval.seconds(10)
    package var heartbeatEvery = Interval.seconds(10)
    package init() {}
  }
  private struct Destination: Hashable {
    var channel: String
    var destination: String
    var receiver: String
  }

  private let name: String
  private let port: any JobPort
  private let transport: any Transport
  private let limits: Limits
  private let logger: Logger
  private let now: @Sendable () -> Timestamp
  private var channels: [String: any Channel]
  private var outbox: Outbox?
  private var outboxStandsIn: Bool

  private var queues: [Destination: DestinationQueue] = [:]
  private var alarms: [Destination: Timestamp] = [:]
  package private(set) var counts = WorkerCounts()
  private var isStopping = false
  private var isRelieving = false
  private var waiters: [CheckedContinuation<Void, Never>] = []
  private let stopSignal = AsyncStream<Void>.makeStream()

  package static func wallClock() -> Timestamp {
    Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
  }

  /// `only` limits the channels that are taken; nil takes all.
  package init(
    name: String, settings: NotifierSettings, only: [String]? = nil, templates: TemplateSet = TemplateSet(),
    port: any JobPort, transport: any Transport, limits: Limits = Limits(),
    logger: Logger = Logger(label: "tocsin.notifier"),
    now: @escaping @Sendable () -> Timestamp = NotifierWorker.wallClock
  ) {
    self.init(
      name: name, channels: ChannelTable.channels(settings, templates: templates), only: only,
      outbox: settings.outbox.map { Outbox(directory: $0) }, outboxStandsIn: settings.outboxStandsIn, port: port,
      transport: transport, limits: limits, logger: logger, now: now)
  }

  package init(
    name: String, channels: [any Channel], only: [String]? = nil, outbox: Outbox?, outboxStandsIn: Bool,
    port: any JobPort, transport: any Transport, limits: Limits = Limits(),
    logger: Logger = Logger(label: "tocsin.notifier"),
    now: @escaping @Sendable () -> Timestamp = NotifierWorker.wallClock
  ) {
    self.name = name
    self.port = port
    self.transport = transport
    self.limits = limits
    self.logger = logger
    self.now = now
    self.outbox = outbox
    self.outboxStandsIn = outboxStandsIn
    var table: [String: any Channel] = [:]
    for channel in channels where only?.contains(channel.name) ?? true { table[channel.name] = channel }
    self.channels = table
  }

  package var channelNames: [String] { channels.keys.sorted() }

  /// A reloaded configuration: used from the next job on. The set of channels taken stays.
  package func use(_ settings: NotifierSettings, templates: TemplateSet) {
    for channel in ChannelTable.channels(settings, templates: templates) where channels[channel.name] != nil {
      channels[channel.name] = channel
    }
    outbox = settings.outbox.map { Outbox(directory: $0) }
    outboxStandsIn = settings.outboxStandsIn
  }

  // MARK: Running and stopping

  /// Works until ``stop()`` is called, its task is cancelled, or the bus ends.
  package func run() async {
    let names = channelNames
    logger.info("notifier \(name) takes \(names.joined(separator: ", "))")
    let reader = Task {
      for await job in port.jobs(channels: names, credit: limits.credit) { await take(job) }
      requestStop()
    }
    let ticker = Task { await tick() }
    await withTaskCancellationHandler {
      for await _ in stopSignal.stream { break }
    } onCancel: {
      stopSignal.continuation.yield()
    }
    isStopping = true
    reader.cancel()
    ticker.cancel()
    await windDown()
    await port.heartbeat(heartbeat())
    logger.info("notifier \(name) has stopped: \(counts.delivered) delivered, \(counts.handedBack) handed back")
  }

  package func stop() { requestStop() }

  private nonisolated func requestStop() { stopSignal.continuation.yield() }

  private func windDown() async {
    for key in Array(queues.keys) {
      for job in queues[key]?.handBack(keep: 0) ?? [] { await giveBack(job, "the notifier is stopping", for: .zero) }
    }
    // What is in flight gets a while; then the transport breaks it off, and each job still gets its receipt.
    let closing = Task { [transport, grace = limits.grace] in
      try await Task.sleep(for: .microseconds(grace.microseconds))
      transport.close()
    }
    while queues.values.contains(where: { $0.inFlight > 0 }) {
      await withCheckedContinuation { waiters.append($0) }
    }
    closing.cancel()
  }

  private func tick() async {
    while !Task.isCancelled {
      await port.heartbeat(heartbeat())
      try? await Task.sleep(for: .microseconds(limits.heartbeatEvery.microseconds))
    }
  }

  /// Looks after the queues twice a second, for as long as there are any: nothing wakes an idle worker.
  private func relieveWhileBusy() async {
    guard !isRelieving else { return }
    isRelieving = true
    defer { isRelieving = false }
    while !isStopping, queues.values.contains(where: { !$0.isIdle }) {
      try? await Task.sleep(for: .milliseconds(500))
      await relieve()
    }
  }

  private func heartbeat() -> JSON {
    counts.json(
      name: name, channels: channelNames, waiting: queues.values.reduce(0) { $0 + $1.count },
      inFlight: queues.values.reduce(0) { $0 + $1.inFlight })
  }

  // MARK: Queues

  private func take(_ job: Job) async {
    counts.taken += 1
    CrashPoint.pass(.take)
    guard !isStopping else { return await giveBack(job, "the notifier is stopping", for: .zero) }
    guard let channel = channels[job.channel] else {
      return await giveBack(job, "this notifier does not serve \(job.channel)", for: limits.handBackFor)
    }
    let key = Destination(channel: job.channel, destination: job.destination, receiver: job.receiver)
    queues[key, default: DestinationQueue(channel.pace)].add(job, now: now())
    pump(key)
    if !isRelieving, !queues.isEmpty { Task { await relieveWhileBusy() } }
  }

  /// Starts whatever may start now.
  private func pump(_ key: Destination) {
    while var queue = queues[key] {
      let next = queue.next(now())
      queues[key] = queue
      switch next {
      case .start(let job, let waited):
        // At once, up to the first wait: to be put behind other tasks would cost a switch of threads.
        Task.immediate { await work(job, waited: waited, key) }
      case .wait(let until):
        return wake(key, at: until)
      case .nothing:
        if queue.isRested(now()) { queues[key] = nil }
        return
      }
    }
  }

  private func wake(_ key: Destination, at instant: Timestamp) {
    if let planned = alarms[key], planned <= instant { return }
    alarms[key] = instant
    let delay = max(instant - now(), .milliseconds(1))
    Task {
      try? await Task.sleep(for: .microseconds(delay.microseconds))
      alarms[key] = nil
      pump(key)
    }
  }

  /// Hands back what slow destinations hold beyond their share, so that the credit is there for others.
  private func relieve() async {
    let time = now()
    let slowSince = time - limits.slowAfter
    for key in Array(queues.keys) {
      for job in queues[key]?.expired(time) ?? [] { await giveBack(job, "its lease ended while it waited", for: .zero) }
      for hold in queues[key]?.hold(time, beyond: limits.holdAfter) ?? [] {
        counts.held += 1
        await giveBack(hold.job, hold.reason, for: hold.until - time)
      }
      if queues[key]?.isRested(time) == true { queues[key] = nil }
      guard let oldest = queues[key]?.oldest, oldest < slowSince else { continue }
      for job in queues[key]?.handBack(keep: limits.slowShare) ?? [] {
        await giveBack(job, "too many messages wait for \(job.destination)", for: limits.handBackFor)
      }
    }
  }

  private func giveBack(_ job: Job, _ why: String, for wait: Interval) async {
    counts.handedBack += 1
    var receipt = Receipt(key: job.key, attempt: job.attempt, outcome: .retry, message: why, retryAfter: wait)
    receipt.isUnsent = true
    await port.receipt(receipt)
  }

  // MARK: One job

  private func work(_ job: Job, waited: Interval, _ key: Destination) async {
    let start = ContinuousClock.now
    if now() >= job.leaseUntil - LeasedTransport.margin {
      await giveBack(job, "its lease ended while it waited", for: .zero)
    } else if waited > limits.freshFor, await !port.wanted(job.key) {
      counts.cancelled += 1
      await port.receipt(
        Receipt(key: job.key, attempt: job.attempt, outcome: .retry, message: "no longer wanted"))
    } else if let channel = channels[job.channel] {
      let verdict = await deliver(job, channel)
      CrashPoint.pass(.send)
      counts.count(verdict, channel: job.channel)
      if verdict.outcome != .delivered {
        logger.warning("\(job.key), try \(job.attempt): \(verdict.outcome.rawValue): \(verdict.message)")
      }
      if let wait = verdict.retryAfter { queues[key]?.pause(until: now() + wait) }
      let took = (ContinuousClock.now - start).components
      let latency = Interval(microseconds: took.seconds * 1_000_000 + took.attoseconds / 1_000_000_000_000)
      var receipt = Receipt(
        key: job.key, attempt: job.attempt, outcome: verdict.outcome, status: verdict.status, message: verdict.message,
        retryAfter: verdict.retryAfter, outcomeUnknown: verdict.outcomeUnknown, latency: latency,
        provider: verdict.provider)
      receipt.taken = verdict.taken
      await port.receipt(receipt)
      CrashPoint.pass(.report)
    }
    queues[key]?.finished(job)
    for waiter in waiters { waiter.resume() }
    waiters = []
    pump(key)
  }

  private func deliver(_ job: Job, _ channel: any Channel) async -> Verdict {
    let time = now()
    let message: RenderedMessage
    do { message = try channel.render(job, now: time) } catch { return Verdict(.failed, error.description) }
    if let missing = channel.missing(for: job) {
      guard let outbox, outboxStandsIn || channel.name == "outbox" else { return Verdict(.failed, missing) }
      do { try await outbox.write(message, for: job, now: time) } catch {
        return Verdict(.retry, "\(error)")
      }
      return Verdict(.delivered, "written to the outbox", provider: message.provider)
    }
    let leased = LeasedTransport(base: transport, leaseUntil: job.leaseUntil, now: now)
    let verdict = await channel.send(message, for: job, over: leased, now: time)
    if verdict.outcome == .delivered, let outbox {
      // A copy for people to look at. The message itself has gone out, so a full disk here is no failed delivery.
      do { try await outbox.write(message, for: job, now: time) } catch { logger.warning("no copy kept: \(error)") }
    }
    return verdict
  }
}
