import Alerts
import Bus
import Foundation
import Synchronization
import Testing

@testable import Notifiers

/// Stands in for the service: one message about an alert at a time, leased again after a try that did not deliver.
final class LeasingPort: JobPort {
  private struct State {
    var owed: [Job]
    var receipts: [Receipt] = []
    var isDone = false
  }
  private let state: Mutex<State>
  private let stream = AsyncStream<Job>.makeStream()

  init(_ jobs: [Job]) {
    state = Mutex(State(owed: jobs))
    if let first = jobs.first { stream.continuation.yield(first) }
  }
  var receipts: [Receipt] { state.withLock { $0.receipts } }
  var isDone: Bool { state.withLock { $0.isDone } }

  func jobs(channels: [String], credit: Int) -> AsyncStream<Job> { stream.stream }
  func wanted(_ key: String) async -> Bool { true }
  func heartbeat(_ json: JSON) async {}
  func receipt(_ receipt: Receipt) async {
    let next = state.withLock { state -> (Job, Interval)? in
      state.receipts.append(receipt)
      guard var job = state.owed.first, job.key == receipt.key else { return nil }
      if receipt.outcome == .retry {
        job.attempt += 1
        state.owed[0] = job
        return (job, max(receipt.retryAfter ?? .zero, .milliseconds(50)))
      }
      state.owed.removeFirst()
      guard var job = state.owed.first else {
        state.isDone = true
        return nil
      }
      job.thread = receipt.provider
      state.owed[0] = job
      return (job, .zero)
    }
    guard let (job, wait) = next else { return }
    Task {
      try? await Task.sleep(for: .microseconds(wait.microseconds))
      stream.continuation.yield(job)
    }
  }
}

@Suite struct FailureMatrixTests {
  static let channels = ["webhook", "slack", "pagerduty"]
  static let failures = ["status/500", "status/503", "after/1", "afterdate/1", "reset/x", "slow/1"]

  /// Each message must arrive at least once, twice at most and only where an outcome was unknown, and in order.
  @Test("whatever fails first, everything owed arrives, and nothing else", arguments: channels, failures)
  func matrix(channel: String, failure: String) async throws {
    let server = try LocalServer.http()
    var settings = NotifierSettings()
    // What answers slowly must still answer as the provider does.
    let base = failure.hasPrefix("slow") && channel != "webhook" ? "" : "/first/\(failure)"
    var slack = SlackSettings()
    slack.token = "xoxb"
    slack.apiURL = server.url("\(base)/slack")
    settings.slack = slack
    settings.pagerduty.url = server.url("\(base)/pagerduty")
    settings.receiverOptions["r"] = ["routing_key": "key-of-32", "url": .string(server.url("\(base)/ok/hook"))]
    let now = NotifierWorker.wallClock()
    let jobs = [(Purpose.firing, AlertSummary.State.open), (.acknowledged, .acknowledged), (.resolved, .resolved)].map {
      Samples.job(
        channel, to: channel == "slack" ? "#x" : "r", purpose: $0.0, alert: Samples.alert(state: $0.1), receiver: "r",
        requestedAt: now, leaseUntil: now + .minutes(5))
    }
    let port = LeasingPort(jobs)
    let transport = try CurlTransport()
    let worker = NotifierWorker(name: "w", settings: settings, port: port, transport: transport)
    let running = Task { await worker.run() }
    let limit = ContinuousClock.now + .seconds(40)
    while !port.isDone, ContinuousClock.now < limit { try await Task.sleep(for: .milliseconds(10)) }
    await worker.stop()
    await running.value
    transport.close()

    #expect(port.isDone, "\(port.receipts)")
    #expect(port.receipts.filter { $0.outcome == .delivered }.map(\.key) == jobs.map(\.key))
    #expect(!port.receipts.contains { $0.outcome == .failed })
    let taken = server.arrived.filter {
      ["ok", "slack", "pagerduty", "reset", "slow"].contains($0["kind"]?.string ?? "")
    }
    var order: [Int] = []
    for arrival in taken where arrival["path"]?.string?.hasSuffix("chat.update") != true {
      let text = arrival["text"]?.string ?? ""
      let purpose = try #require(
        jobs.firstIndex { job in
          switch channel {
          case "webhook": text.contains("\"id\":\(JSON.string(job.key).text)")
          case "slack": text.contains(JSON.string(job.key).text)
          default:
            text.contains("\"\(["trigger", "acknowledge", "resolve"][jobs.firstIndex { $0.key == job.key } ?? 0])\"")
          }
        })
      order.append(purpose)
    }
    #expect(order == order.sorted(), "in order: \(order)")
    for (i, job) in jobs.enumerated() {
      let times = order.count { $0 == i }
      let unknown = port.receipts.count { $0.key == job.key && $0.outcomeUnknown }
      #expect(
        (1...2).contains(times) && times <= 1 + unknown, "\(job.purpose) arrived \(times) times, \(unknown) unknown")
    }
  }

  @Test("one worker keeps a receiver busy over kept-alive connections")
  func throughput() async throws {
    let server = try LocalServer.http()
    let count = 1000
    var settings = NotifierSettings()
    settings.receiverOptions["r"] = ["url": .string(server.url("/ok/hook"))]
    let now = NotifierWorker.wallClock()
    let port = TestPort()
    let transport = try CurlTransport()
    var limits = NotifierWorker.Limits()
    // However busy the machine is: here nobody leases again what is handed back.
    limits.slowAfter = .minutes(5)
    let worker = NotifierWorker(name: "w", settings: settings, port: port, transport: transport, limits: limits)
    let running = Task { await worker.run() }
    let start = ContinuousClock.now
    for i in 0..<count {
      // As the service does: no more at once than the worker's credit.
      while i - port.receipts.count >= limits.credit { try await Task.sleep(for: .milliseconds(1)) }
      port.give([
        Samples.job(
          "webhook", to: "r", alert: Samples.alert(Int64(i + 1)), key: "k\(i)", receiver: "r", requestedAt: now,
          leaseUntil: now + .minutes(5))
      ])
    }
    let receipts = try await port.receipts(count)
    let took = ContinuousClock.now - start
    await worker.stop()
    await running.value
    transport.close()
    let delivered = receipts.count { $0.outcome == .delivered }
    print("notifier: \(delivered) of \(count) messages in \(took), into Python's http.server")
    let arrived = server.arrived
    #expect(
      Set(arrived.compactMap { $0["headers"]?["idempotency-key"]?.string }).count == arrived.count, "no message twice")
    #expect(Set(arrived.compactMap { $0["peer"]?.int }).count <= 16, "connections are kept alive")
    #expect(delivered == count && arrived.count == count)
  }
}
