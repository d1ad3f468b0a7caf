import Alerts
import Foundation
import Lifecycle
import Synchronization
import Testing

@testable import Notifiers

/// Nothing answers until the outage is over; then it is the world's.
private struct Outage: Transport {
  let world: any Transport
  let isOver: Bool
  func perform(_ request: TransferRequest) async -> TransferResult {
    // 7 is libcurl's code for a connection that was refused.
    isOver ? await world.perform(request) : .failure(TransferFailure(code: 7, message: "connection refused"))
  }
  func close() {}
}

/// A day on which no receiver can be reached, in virtual time: the service's rules say when to try again, and the channels themselves send.
@Suite struct OutageTests {
  @Test(.timeLimit(.minutes(1)), arguments: DeliveryMatrixTests.Way.allCases)
  func aDayWithoutTheReceiver(_ way: DeliveryMatrixTests.Way) async throws {
    let world = try MatrixWorld(way, .nameNotFound)
    let transport = try CurlTransport()
    defer { transport.close() }
    let channel = try #require(
      ChannelTable.channels(world.settings(isMended: true)).first { $0.name == way.channel })
    var engine = Engine()
    var now = Samples.openedAt
    let end = now + .hours(24)
    var settings = LifecycleSettings()
    settings.receivers = [
      Receiver(
        name: "r", targets: [.init(channel: way.channel, destination: world.destination)], patience: .hours(36))
    ]
    settings.routes = [Route(matchers: [], delivery: .notify(["r"]))]
    engine.adopt(settings, now: now)
    func say(_ key: String, _ status: Anomaly.Status) {
      var a = Samples.anomaly()
      a.id = "\(key)/\(status)/\(now)"
      a.givenKey = key
      a.status = status
      engine.take(a, now: now)
    }
    say("stays", .firing)
    say("ends", .firing)
    var owed: [Job] = []
    var tries = 0
    var failed = 0
    var events: [RecordedEvent] = []

    /// Everything that is due at this moment.
    func work() async throws {
      engine.fire(now: now)
      while let p = engine.lease(to: "w", channels: [way.channel], now: now) {
        var alert = Samples.alert(p.subject.number, state: p.purpose == .resolved ? .resolved : .open)
        alert.dedupKey = "\(p.subject)"
        let job = Samples.job(
          way.channel, to: p.place.target.destination, purpose: p.purpose, alert: alert, key: p.key, receiver: "r",
          thread: engine.ledger.thread(p.subject, p.place.target), requestedAt: p.requestedAt,
          leaseUntil: now + .minutes(1))
        tries += 1
        let isOver = now >= end
        let verdict: Verdict
        if way == .command, !isOver {
          verdict = CommandChannel.verdict(.exited(CommandChannel.temporaryFailure, "down"), program: "program")
        } else {
          // A program that turns the first try away is part of the matrix, not of this.
          let message = try channel.render(job, now: now)
          verdict = await channel.send(message, for: job, over: Outage(world: transport, isOver: isOver), now: now)
        }
        if verdict.outcome == .delivered { owed.append(job) }
        if verdict.outcome == .failed { failed += 1 }
        engine.receive(
          Receipt(
            key: p.key, attempt: p.attempts + 1, outcome: verdict.outcome, status: verdict.status,
            message: verdict.message, outcomeUnknown: verdict.outcomeUnknown, provider: verdict.provider),
          from: "notifier/w", now: now)
      }
      events += engine.takeBatch(now: now)
    }

    try await work()
    var hasEnded = false
    while owed.isEmpty, now < end + .hours(2) {
      let next = try #require(engine.nextDeadline)
      now = max(now, next)
      if !hasEnded, now > Samples.openedAt + .hours(12) {
        hasEnded = true
        say("ends", .resolved)
      }
      try await work()
    }
    // Four times an hour at least, and not so often that it would be a nuisance.
    #expect((100...400).contains(tries), "\(tries) tries in a day")
    now = now + .minutes(5)
    say("stays", .resolved)
    try await work()
    while let next = engine.nextDeadline, next < now + .hours(1), !engine.ledger.pending.isEmpty {
      now = max(now, next)
      try await work()
    }

    #expect(failed == 0)
    #expect(engine.ledger.pending.isEmpty)
    #expect(owed.map(\.purpose) == [.firing, .resolved], "\(owed.map(\.key))")
    #expect(Set(owed.map(\.subject)) == [Subject(.alert, 1)], "whoever never heard of it hears nothing of its end")
    let cancelled = events.filter { $0.type == .notification_cancelled }
    #expect(cancelled.map(\.subject) == [Subject(.alert, 2)])
    #expect(try world.arrivals(of: owed) == [0, 1], "each once, in order, and nothing else")
  }
}
