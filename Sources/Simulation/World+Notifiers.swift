import Alerts
import Bus
import Lifecycle

/// A notifier takes jobs, asks before it sends, and says what became of each.
struct Worker {
  let name: String
  let channels: [String]
  var tasks: [Int: Job] = [:]
  /// What it asked for last, and how many it was given since.
  var credit = 0
  var given = 0
  var isBehind = false

  /// Jobs that it has in hand at once.
  static let capacity = 8
}

extension World {
  /// So long it waits to hear whether a message is still wanted; then it sends.
  private static let patience = Interval.seconds(5)
  private static let asksEvery = Interval.minutes(10)

  // MARK: - Asking for work

  /// Also when nothing changes: the service may have been started anew and know nothing of it.
  func keepAsking(_ w: Int) {
    ready(w)
    after(World.asksEvery) { $0.keepAsking(w) }
  }

  private func ready(_ w: Int) {
    let free = Worker.capacity - workers[w].tasks.count
    workers[w].credit = free
    workers[w].given = 0
    let asked = mutation == .creditIgnored ? free + 50 : free
    arrive(
      .ready(peer(w), worker: workers[w].name, credit: asked, channels: workers[w].channels))
  }

  private func peer(_ w: Int) -> Peer { Peer(identity: Array("notifier/\(workers[w].name)".utf8)) }

  /// It goes down with all that it had in hand; another takes its name.
  func loseWorker() {
    let w = draw.below(workers.count)
    workers[w].tasks = [:]
    workers[w].isBehind = draw.once(in: 4)
    after(.seconds(Int64(draw.below(300)))) { $0.ready(w) }
  }

  // MARK: - A job

  /// The service has put so many jobs on the wire.
  func count(_ worker: String) {
    guard let w = workers.firstIndex(where: { $0.name == worker }) else { return }
    workers[w].given += 1
    if workers[w].given > workers[w].credit {
      promises.fail(9, "\(worker) was given \(workers[w].given) jobs, and had asked for \(workers[w].credit)")
    }
  }

  func wasGiven(_ worker: String, _ job: Job) {
    guard let w = workers.firstIndex(where: { $0.name == worker }) else { return }
    if !workers[w].channels.contains(job.channel) { promises.fail(8, "\(worker) was given a job for \(job.channel)") }
    // Lost on its way, or held up.
    if !isCalm, draw.once(in: 60) { return }
    let delay =
      !isCalm && draw.once(in: 40) ? Interval.seconds(Int64(draw.below(200))) : .milliseconds(Int64(draw.below(1500)))
    nextTask += 1
    let task = nextTask
    workers[w].tasks[task] = job
    after(workers[w].isBehind && !isCalm ? delay + .seconds(45) : delay) { $0.prepare(w, task) }
  }

  private func prepare(_ w: Int, _ task: Int) {
    guard let job = workers[w].tasks[task] else { return }
    if mutation == .workerDoesNotAsk {
      promises.isWanted(job.key)
      return send(w, task)
    }
    let question = "q\(task)"
    questions[question] = (w, task)
    let command = Command(.wanted(key: job.key), by: "notifier/\(workers[w].name)")
    transmit(.command(peer(w), requestID: question, json: command.json.bytes))
    after(World.patience) { world in
      // At least once is the promise.
      if world.questions.removeValue(forKey: question) != nil { world.send(w, task) }
    }
  }

  /// The service has put an answer on the wire, on which it may take as long as the notifier waits: it is judged by what was so when it was given.
  func judge(_ question: String, _ json: JSON) {
    guard json["wanted"]?.bool == true, let (w, task) = questions[question], let job = workers[w].tasks[task] else {
      return
    }
    promises.isWanted(job.key)
  }

  func wasTold(_ question: String, _ json: JSON) {
    guard json["ok"]?.bool == true, let (w, task) = questions.removeValue(forKey: question) else { return }
    if json["wanted"]?.bool == true { return send(w, task) }
    if workers[w].tasks.removeValue(forKey: task) != nil { ready(w) }
  }

  private func send(_ w: Int, _ task: Int) {
    guard let job = workers[w].tasks[task] else { return }
    let place = "\(job.channel) \(job.destination)"
    if !isCalm, let until = slowUntil[place], until > now {
      after(.seconds(Int64(draw.below(90)))) { $0.finish(w, task, place) }
    } else {
      finish(w, task, place)
    }
  }

  private func finish(_ w: Int, _ task: Int, _ place: String) {
    guard let job = workers[w].tasks.removeValue(forKey: task) else { return }
    defer { ready(w) }
    let key = mutation == .keysChange ? "\(job.key)/\(job.attempt)" : job.key
    if !isCalm, let until = downUntil[place], until > now {
      // Nobody knows what became of it, and sometimes it has arrived.
      let isUnknown = draw.once(in: 4)
      if isUnknown, draw.once(in: 2) { promises.arrived(key, at: clock.now()) }
      let asks = draw.once(in: 5) ? Interval.seconds(Int64(draw.below(900))) : nil
      return receipt(w, job, .retry, status: isUnknown ? nil : 503, isUnknown: isUnknown, retryAfter: asks)
    }
    if !isCalm, draw.once(in: 30) { return receipt(w, job, .failed, status: 400) }
    promises.arrived(key, at: clock.now())
    if mutation == .sentTwice { promises.arrived(key, at: clock.now()) }
    outcome.delivered += 1
    receipt(w, job, .delivered, status: 200)
  }

  private func receipt(
    _ w: Int, _ job: Job, _ outcome: Receipt.Outcome, status: Int?, isUnknown: Bool = false, retryAfter: Interval? = nil
  ) {
    let receipt = Receipt(
      key: job.key, attempt: job.attempt, outcome: outcome, status: status, message: "simulated",
      retryAfter: retryAfter,
      outcomeUnknown: isUnknown)
    transmit(.receipt(peer(w), worker: workers[w].name, json: receipt.json.bytes))
    if !isCalm, draw.once(in: 100) {
      transmit(.receipt(peer(w), worker: workers[w].name, json: Array("{\"key\":7".utf8)))
      badReceipts += 1
    }
  }

  // MARK: - Receivers

  func failReceiver() {
    let place = draw.pick([
      "email ops@example.org", "email office@example.org", "slack #ops", "webhook https://x.example.org",
      "pagerduty boss",
    ])
    if draw.once(in: 2) {
      downUntil[place] = now + .minutes(Int64(draw.below(draw.once(in: 6) ? 1800 : 240)))
    } else {
      slowUntil[place] = now + .minutes(Int64(draw.below(240)))
    }
  }
}
