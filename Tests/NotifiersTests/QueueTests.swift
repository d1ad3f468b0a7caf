import Alerts
import Testing

@testable import Notifiers

@Suite struct DestinationQueueTests {
  let now = Samples.now

  func job(_ alert: Int64, _ purpose: Purpose = .firing, severity: Severity = .medium, lease: Interval = .minutes(5))
    -> Job
  {
    Samples.job(
      "webhook", to: "x", purpose: purpose, alert: Samples.alert(alert, severity: severity),
      key: "A-\(alert)/\(purpose.rawValue)", leaseUntil: now + lease)
  }

  func started(_ queue: inout DestinationQueue, at time: Timestamp? = nil) -> String? {
    if case .start(let job, _) = queue.next(time ?? now) { job.key } else { nil }
  }

  @Test("the urgent goes first, but nothing overtakes an earlier message about the same alert")
  func order() {
    var queue = DestinationQueue(Pace(inFlight: 10))
    let jobs = [
      job(1), job(2, severity: .critical), job(1, .resolved), job(3, severity: .high), job(2, .acknowledged),
    ]
    for job in jobs { queue.add(job, now: now) }
    #expect((0..<4).map { _ in started(&queue) } == ["A-2/firing", "A-3/firing", "A-1/firing", nil])
    queue.finished(jobs[0])
    #expect(started(&queue) == "A-1/resolved")
    queue.finished(jobs[1])
    #expect(started(&queue) == "A-2/acknowledged")
    #expect(started(&queue) == nil)
    #expect(queue.inFlight == 3)
  }

  @Test("no more at once than the pace allows")
  func inFlight() {
    var queue = DestinationQueue(Pace(inFlight: 2))
    for i in 1...3 { queue.add(job(Int64(i)), now: now) }
    #expect(started(&queue) != nil && started(&queue) != nil)
    #expect(queue.next(now) == .nothing)
    queue.finished(job(1))
    #expect(started(&queue) == "A-3/firing")
  }

  @Test("no faster than the pace allows: a burst, then one a second")
  func rate() {
    var queue = DestinationQueue(Pace(inFlight: 10, perSecond: 1, burst: 2))
    for i in 1...4 { queue.add(job(Int64(i)), now: now) }
    #expect(started(&queue) != nil && started(&queue) != nil)
    #expect(queue.next(now) == .wait(until: now + .seconds(1)))
    #expect(started(&queue, at: now + .seconds(1)) == "A-3/firing")
    #expect(queue.next(now + .seconds(1)) == .wait(until: now + .seconds(2)))
  }

  @Test("the most urgent does not wait for the rate, and the others make up for it")
  func urgent() {
    var queue = DestinationQueue(Pace(inFlight: 10, perSecond: 1, burst: 2))
    for i in 1...3 { queue.add(job(Int64(i)), now: now) }
    #expect(started(&queue) != nil && started(&queue) != nil)
    #expect(queue.next(now) == .wait(until: now + .seconds(1)))
    queue.add(job(4, severity: .critical), now: now)
    #expect(started(&queue) == "A-4/firing")
    #expect(queue.next(now) == .wait(until: now + .seconds(2)))
    // What the provider asks for holds for everybody: it would refuse this one too.
    queue.pause(until: now + .seconds(9))
    queue.add(job(5, severity: .critical), now: now)
    #expect(queue.next(now) == .wait(until: now + .seconds(9)))
  }

  @Test("what would wait for long gets a time of its own, one after the other, and keeps it whoever comes in between")
  func hold() {
    var queue = DestinationQueue(Pace(inFlight: 100, perSecond: 1, burst: 2))
    for i in 1...7 { queue.add(job(Int64(i), severity: i == 7 ? .high : .medium), now: now) }
    let holds = queue.hold(now, beyond: .seconds(2))
    // Two go at once, two within two seconds; the more urgent is before its elders.
    #expect(holds.map(\.job.subject.number) == [4, 5, 6])
    #expect(holds.map { $0.until - now } == [.seconds(3), .seconds(4), .seconds(5)])
    #expect(holds.allSatisfy { $0.reason == "x takes one message a second, and others are before it" })
    #expect(queue.hold(now, beyond: .seconds(2)).isEmpty)
    #expect((0..<2).map { _ in started(&queue) } == ["A-7/firing", "A-1/firing"])
    #expect(started(&queue, at: now + .seconds(1)) == "A-2/firing")
    #expect(started(&queue, at: now + .seconds(2)) == "A-3/firing")
    for i in [7, 1, 2, 3] { queue.finished(job(Int64(i))) }

    // Somebody new gets the time behind them, and does not take theirs.
    queue.add(job(8), now: now + .seconds(2))
    #expect(queue.next(now + .seconds(3)) == .wait(until: now + .seconds(6)))
    let later = queue.hold(now + .seconds(3), beyond: .seconds(2))
    #expect(later.map { $0.until - now } == [.seconds(6)])
    #expect(!queue.isRested(now + .seconds(3)), "what it has promised is not forgotten")
    for (i, hold) in (holds + later).enumerated() {
      var back = hold.job
      back.attempt = 2
      queue.add(back, now: hold.until)
      #expect(started(&queue, at: now + .seconds(Int64(3 + i))) == back.key)
      queue.finished(back)
    }
    #expect(queue.isRested(now + .seconds(9)))
  }

  @Test("who asks for patience has everything given back until then, the urgent as well, in order")
  func holdForPatience() {
    var queue = DestinationQueue(Pace(inFlight: 4))
    queue.pause(until: now + .minutes(3))
    let jobs = [job(1), job(1, .resolved), job(2, severity: .critical)]
    for job in jobs { queue.add(job, now: now) }
    let holds = queue.hold(now, beyond: .seconds(2))
    #expect(holds.map(\.job.key) == ["A-2/firing", "A-1/firing", "A-1/resolved"])
    #expect(holds.allSatisfy { $0.until == now + .minutes(3) })
    #expect(holds[0].reason == "webhook asked for patience until \(now + .minutes(3))")
    #expect(queue.isIdle && !queue.isRested(now + .seconds(179)) && queue.isRested(now + .minutes(3)))
  }

  @Test("a provider that asks for patience gets it")
  func pause() {
    var queue = DestinationQueue(Pace(inFlight: 1))
    queue.add(job(1), now: now)
    queue.pause(until: now + .seconds(7))
    #expect(queue.next(now) == .wait(until: now + .seconds(7)))
    #expect(started(&queue, at: now + .seconds(7)) == "A-1/firing")
  }

  @Test("what is handed back is the least urgent, and never a message without those after it")
  func handBack() {
    var queue = DestinationQueue(Pace(inFlight: 1))
    let jobs = [job(1, severity: .critical), job(2), job(3), job(2, .resolved), job(4, severity: .critical)]
    for job in jobs { queue.add(job, now: now) }
    #expect(queue.handBack(keep: 3).map(\.key) == ["A-2/resolved", "A-3/firing"])
    #expect(queue.handBack(keep: 3).isEmpty)
    #expect(queue.handBack(keep: 2).map(\.key) == ["A-2/firing"])
    #expect(queue.count == 2)
  }

  @Test("what waited longer than its lease is taken out")
  func expired() {
    var queue = DestinationQueue(Pace(inFlight: 1))
    queue.add(job(1, lease: .seconds(10)), now: now)
    queue.add(job(2, lease: .seconds(30)), now: now)
    #expect(queue.expired(now + .seconds(9)).isEmpty)
    #expect(queue.expired(now + .seconds(10)).map(\.key) == ["A-1/firing"])
    #expect(queue.count == 1)
  }
}

@Suite struct TokenBucketTests {
  @Test("in any second no more than the rate and the burst allow, and in the long run all of the rate")
  func rate() {
    var bucket = TokenBucket(perSecond: 10, burst: 5)
    var gone: [Timestamp] = []
    var time = Samples.now
    while time < Samples.now + .seconds(10) {
      if let until = bucket.take(time) { time = until } else { gone.append(time) }
    }
    #expect((100...105).contains(gone.count))
    #expect(gone.prefix(5).allSatisfy { $0 == Samples.now })
    for (i, t) in gone.enumerated() {
      #expect(gone[i...].prefix { $0 < t + .seconds(1) }.count <= 15)
    }
  }

  @Test("a quiet time gives back no more than the burst")
  func quiet() {
    var bucket = TokenBucket(perSecond: 1, burst: 3)
    var n = 0
    while bucket.take(Samples.now + .days(7)) == nil { n += 1 }
    #expect(n == 3)
  }
}
