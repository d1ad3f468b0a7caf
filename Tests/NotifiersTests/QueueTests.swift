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
