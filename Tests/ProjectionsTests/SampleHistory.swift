import Alerts
import EventLog
import Synchronization

/// Writes a plausible log: alerts that open, repeat, rise, are told, escalate, are acknowledged, silenced, commented on, and end in
/// each of the ways there are. The same seed gives the same log.
struct SampleHistory {
  var events: [RecordedEvent] = []
  var now: Timestamp
  private var random: Seeded
  private var versions: [Subject: Int] = [:]
  private var lastAlert: Int64 = 0
  private var lastGroup: Int64 = 0
  private var open: [Life] = []
  private var generations: [String: (count: Int, last: AlertID)] = [:]
  private var pending: [(key: String, subject: Subject, attempt: Int, cause: Int64)] = []

  struct Life {
    var id: AlertID
    var anomaly: Anomaly
    var severity: Severity
    var isAcknowledged = false
    var isSilenced = false
    var step: Int
    var severityPolicy: Bool
  }

  static let people = ["ana", "ben", "chloé", "dmitri"]
  static let checks: [(type: String, metric: String, detector: String, dimension: (String, [String])?)] = [
    ("listing_views", "total_views", "percentage_change", ("device", ["desktop", "mobile", "tablet"])),
    ("listing_views", "row_count", "row_count", nil),
    ("enquiries", "enquiries", "zscore", ("country", ["de", "fr", "es", "it"])),
    ("checkout", "payments_failed", "threshold", ("provider", ["visa", "paypal"])),
    ("machine", "load", "threshold", nil),
  ]

  init(seed: UInt64, start: Timestamp) {
    random = Seeded(seed)
    now = start
  }

  /// A log of `count` events over `span`.
  static func log(seed: UInt64, events count: Int, start: Timestamp, span: Interval) -> [RecordedEvent] {
    var history = SampleHistory(seed: seed, start: start)
    let step = Interval(microseconds: max(1, span.microseconds / Int64(max(1, count)) * 2))
    history.configure()
    while history.events.count < count { history.turn(step) }
    return Array(history.events.prefix(count))
  }

  @discardableResult
  mutating func add(
    _ subject: Subject, _ event: AlertEvent, actor: String = "tocsin", cause: Int64? = nil, occurred: Timestamp? = nil
  ) -> Int64 {
    versions[subject, default: 0] += 1
    let position = Int64(events.count) + 1
    events.append(
      RecordedEvent(
        position: position, subject: subject, version: versions[subject] ?? 1, occurredAt: occurred ?? now,
        recordedAt: now, actor: actor, cause: cause, event: event))
    return position
  }

  mutating func configure() {
    let settings: JSON = [
      "policies": [
        [
          "name": "critical", "repeats": 1,
          "steps": [["after_us": 0], ["after_us": 900_000_000], ["after_us": 1_800_000_000]],
        ]
      ]
    ]
    add(Subject(.configuration, 1), .configured(Configured(digest: "ab12", settings: settings)))
  }

  /// Something happens, a little later.
  mutating func turn(_ step: Interval) {
    now = now + Interval(microseconds: Int64.random(in: 0...max(1, step.microseconds), using: &random))
    deliver()
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<18: detect()
    case 18..<45: repeatOne()
    case 45..<55: handle()
    case 55..<62: talk()
    case 62..<68: escalate()
    case 68..<71: hold()
    case 71..<72: summarize()
    case 72..<73: silence()
    case 73..<90: end()
    default: break
    }
  }

  mutating func anomaly(_ check: Int? = nil) -> Anomaly {
    let check = SampleHistory.checks[check ?? Int.random(in: 0..<SampleHistory.checks.count, using: &random)]
    var a = Anomaly(
      id: "sample/\(events.count)", source: "detector/sample-1", time: now, eventType: check.type, metric: check.metric)
    a.detector = check.detector
    if let (name, values) = check.dimension, let value = values.randomElement(using: &random) {
      a.dimensions = [.init(name, value)]
    }
    if random.chance(0.2) { a.tenant = "north" }
    let expected = Double(Int.random(in: 100...5000, using: &random))
    let deviation = (Double.random(in: -0.95...2, using: &random) * 1000).rounded() / 1000
    a.expected = expected
    a.deviation = deviation
    a.value = (expected * (1 + deviation)).rounded()
    a.summary = "\(check.metric) is \(Format.change(deviation)) off the 7-day mean"
    a.labels = [.init("team", random.chance(0.5) ? "bi" : "ops")]
    return a
  }

  mutating func detect() {
    var a = anomaly()
    let key = a.dedupKey
    if open.contains(where: { $0.anomaly.dedupKey == key }) { return repeatOne() }
    let severity = Severity.allCases.randomElement(using: &random) ?? .low
    a.severity = severity
    lastAlert += 1
    let id = AlertID(lastAlert)
    let before = generations[key]
    let isDashboard = severity <= .medium
    let route = RouteTaken(
      configuration: 1, index: Int(4 - severity.rawValue), match: "severity=\(severity.name)",
      policy: severity == .critical ? "critical" : nil, dashboardOnly: isDashboard)
    let position = add(
      id.subject,
      .detected(
        Detected(
          generation: (before?.count ?? 0) + 1, previous: before?.last, dedupKey: key, severity: severity, route: route,
          anomaly: a)), actor: a.source, occurred: a.time)
    generations[key] = ((before?.count ?? 0) + 1, id)
    if !isDashboard {
      request(id, severity == .critical ? "director-bi" : "data-team", step: severity == .critical ? 0 : nil, position)
    }
    open.append(
      Life(id: id, anomaly: a, severity: severity, step: 0, severityPolicy: severity == .critical))
  }

  mutating func request(_ id: AlertID, _ receiver: String, step: Int?, _ cause: Int64, purpose: Purpose = .firing) {
    for channel in ["email", "slack"] where channel == "email" || random.chance(0.6) {
      let key = "\(id)/\(purpose.rawValue)/\(events.count)/\(receiver)/\(channel)"
      let position = add(
        id.subject,
        .notificationRequested(
          NotificationRequested(
            key: key, purpose: purpose, receiver: receiver, channel: channel,
            destination: channel == "email" ? "\(receiver)@company.com" : "#\(receiver)", step: step,
            round: step.map { _ in 0 })), cause: cause)
      pending.append((key, id.subject, 1, position))
    }
  }

  mutating func deliver() {
    guard let job = pending.first, random.chance(0.7) else { return }
    pending.removeFirst()
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<2:
      add(
        job.subject,
        .notificationAttempted(
          NotificationAttempted(
            key: job.key, attempt: job.attempt, status: 503, message: "Service Unavailable",
            outcomeUnknown: random.chance(0.3), nextAt: now + .seconds(30))), actor: "notifier/1", cause: job.cause)
      pending.append((job.key, job.subject, job.attempt + 1, job.cause))
    case 2:
      add(
        job.subject,
        .notificationFailed(
          NotificationFailed(key: job.key, attempt: job.attempt, status: 404, message: "channel_not_found")),
        actor: "notifier/1", cause: job.cause)
    case 3:
      add(
        job.subject,
        .notificationCancelled(NotificationCancelled(key: job.key, reason: "acknowledged before it was sent")))
    default:
      add(
        job.subject,
        .notificationDelivered(
          NotificationDelivered(
            key: job.key, attempt: job.attempt, status: 200,
            latency: .milliseconds(Int64.random(in: 3...900, using: &random)),
            provider: nil)), actor: "notifier/1", cause: job.cause)
    }
  }

  mutating func repeatOne() {
    guard let i = open.indices.randomElement(using: &random) else { return detect() }
    var a = open[i].anomaly
    a.id = "sample/\(events.count)"
    a.time = now
    a.value = (a.value ?? 0) - 1
    let count = random.chance(0.7) ? 1 : Int.random(in: 2...40, using: &random)
    let rises = open[i].severity < .critical && random.chance(0.08)
    let worst = rises ? Severity(rawValue: open[i].severity.rawValue + 1) ?? .critical : open[i].severity
    a.severity = worst
    let position = add(
      open[i].id.subject,
      .deduplicated(Deduplicated(count: count, firstTime: now, lastTime: now, worst: worst, last: a)), actor: a.source)
    open[i].anomaly = a
    guard rises else { return }
    add(open[i].id.subject, .severityRaised(SeverityRaised(from: open[i].severity, to: worst)), cause: position)
    open[i].severity = worst
    if open[i].isAcknowledged {
      add(open[i].id.subject, .unacknowledged(Unacknowledged(reason: .severity_raised)), cause: position)
      open[i].isAcknowledged = false
    }
  }

  mutating func handle() {
    guard let i = open.indices.randomElement(using: &random) else { return }
    let who = SampleHistory.people.randomElement(using: &random) ?? "ana"
    let subject = open[i].id.subject
    if open[i].isAcknowledged {
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        add(subject, .unacknowledged(Unacknowledged(reason: .timeout)))
        open[i].isAcknowledged = false
      case 1: add(subject, .assigned(Assigned(to: who, note: "yours")), actor: "ana")
      case 2:
        let until = now + .hours(2)
        add(subject, .snoozed(Snoozed(until: until)), actor: who)
        if random.chance(0.5) { add(subject, .unsnoozed(Unsnoozed(reason: .elapsed))) }
      default:
        add(subject, .labelled(Labelled(label: random.chance(0.3) ? .false_positive : .true_positive)), actor: who)
      }
    } else {
      add(
        subject,
        .acknowledged(Acknowledged(note: random.chance(0.3) ? "looking into the ETL" : nil, until: now + .hours(4))),
        actor: who)
      open[i].isAcknowledged = true
    }
  }

  mutating func talk() {
    guard let life = open.randomElement(using: &random) else { return }
    let texts = ["upstream export is late", "known: the Black Friday campaign", "naïve threshold, see ticket 4711"]
    add(
      life.id.subject, .commented(Commented(text: texts.randomElement(using: &random) ?? "")),
      actor: SampleHistory.people.randomElement(using: &random) ?? "ana")
  }

  mutating func escalate() {
    guard
      let i = open.indices.filter({ open[$0].severityPolicy && !open[$0].isAcknowledged }).randomElement(using: &random)
    else { return }
    if open[i].step == 2 {
      add(open[i].id.subject, .exhausted(Exhausted(rounds: 1)))
      open[i].severityPolicy = false
      return
    }
    open[i].step += 1
    let position = add(open[i].id.subject, .escalated(Escalated(step: open[i].step, round: 0, reason: .delay)))
    request(open[i].id, "oncall", step: open[i].step, position)
  }

  mutating func hold() {
    guard let i = open.indices.randomElement(using: &random) else { return }
    let subject = open[i].id.subject
    if open[i].isSilenced {
      add(subject, .unsilenced(Unsilenced(silence: Subject(.silence, 1))))
    } else {
      add(subject, .silenced(Silenced(silence: Subject(.silence, 1))))
      if random.chance(0.3) { add(subject, .inhibited(Inhibited(by: AlertID(1), rule: "warehouse down"))) }
      if random.chance(0.3) { add(subject, .flapping(Flapping(changes: 6))) }
    }
    open[i].isSilenced.toggle()
  }

  mutating func summarize() {
    lastGroup += 1
    let group = Subject(.group, lastGroup)
    let key = "\(group)/summary/data-team/slack"
    let position = add(
      group,
      .notificationRequested(
        NotificationRequested(
          key: key, purpose: .summary, receiver: "data-team", channel: "slack", destination: "#data-team",
          members: open.prefix(5).map(\.id))))
    pending.append((key, group, 1, position))
  }

  mutating func silence() {
    let subject = Subject(.silence, Int64.random(in: 1...3, using: &random))
    if versions[subject] != nil, random.chance(0.5) {
      add(subject, .silenceExpired(SilenceExpired(early: random.chance(0.5))), actor: "ben")
    } else {
      add(
        subject,
        .silenceAdded(
          SilenceAdded(
            matchers: [Matcher(name: "device", value: "mob.*", isRegex: true)], startsAt: now, endsAt: now + .hours(3),
            comment: "release")), actor: "ben")
    }
  }

  mutating func end() {
    guard open.count > 3, let i = open.indices.randomElement(using: &random) else { return }
    let life = open[i]
    var a = life.anomaly
    a.id = "sample/\(events.count)"
    a.time = now
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<4:
      a.status = .resolved
      let position = add(life.id.subject, .cleared(Cleared(anomaly: a)), actor: a.source)
      add(life.id.subject, .resolved(Resolved(how: .cleared, seen: life.isAcknowledged)), cause: position)
    case 4..<9:
      add(
        life.id.subject, .resolved(Resolved(how: .responder, seen: life.isAcknowledged, note: "fixed upstream")),
        actor: SampleHistory.people.randomElement(using: &random) ?? "ana")
    default: add(life.id.subject, .resolved(Resolved(how: .stale, seen: life.isAcknowledged)))
    }
    if life.severity >= .high { request(life.id, "data-team", step: nil, Int64(events.count), purpose: .resolved) }
    if random.chance(0.05) {
      a.status = .firing
      add(life.id.subject, .reopened(Reopened(severity: life.severity, anomaly: a)), actor: a.source)
      open[i].isAcknowledged = false
    } else {
      open.remove(at: i)
    }
  }
}
