import Alerts
import Lifecycle
import Testing

@testable import Projections

/// The tables that people read say of each alert what the engine decides by, whatever happened to it.
@Suite struct TableAgreesTests {
  static let fresh = UInt64.random(in: 1...1_000_000_000)

  @Test(arguments: Array(UInt64(1)...30) + [TableAgreesTests.fresh])
  func theRowIsTheEnginesState(_ seed: UInt64) throws {
    var d = Draw(state: seed)
    var g = Given(ModelRun.settings)
    var rows: [AlertID: Projections.AlertState] = [:]
    var policies: [Int: [String: FrozenPolicy]] = [:]
    var read = 0
    func policy(_ route: RouteTaken) -> FrozenPolicy? { route.policy.flatMap { policies[route.configuration]?[$0] } }
    for _ in 0..<150 {
      switch d.below(12) {
      case 0, 1, 2: g.fires("k\(d.below(3))", d.pick([.critical, .critical, .medium, .low]))
      case 3, 4: g.clears("k\(d.below(3))")
      case 5, 6:
        g.command(
          d.pick([
            .acknowledge, .unacknowledge, .resolve, .unsnooze, .escalate, .assign(to: "ben"), .snooze(.minutes(9)),
          ]),
          g.engine.alerts.ids.sorted().last)
      case 7:
        g.command(
          .silence(
            matchers: [Matcher(name: "metric", value: "k\(d.below(3))")], startsAt: nil, endsAt: g.now + .minutes(20)))
      case 8: if let p = g.lease() { g.receipt(p, d.pick([.delivered, .delivered, .failed, .retry])) }
      case 9: g.passes(.minutes(Int64(d.below(300))))
      default: g.passes(.seconds(Int64(d.below(400))))
      }
      g.commit()
      for e in g.log[read...] {
        if case .configured(let c) = e.event {
          policies[Int(e.subject.number)] = FrozenPolicy.all(in: try JSON(parsing: c.settings.bytes))
        }
        guard e.subject.kind == .alert else { continue }
        let id = AlertID(e.subject.number)
        if case .detected(let detected) = e.event {
          rows[id] = Projections.AlertState(
            detected, PreparedEvent.Opening(detected), of: e, policy: policy(detected.route))
        } else {
          try rows[id]?.apply(e) { policy($0) }
        }
      }
      read = g.log.count
      for a in g.engine.alerts.values {
        guard let row = rows[a.id]?.summary else {
          Issue.record("seed \(seed): \(a.id) has no row")
          return
        }
        let isSame = TableAgreesTests.isSame(row, a)
        guard isSame else {
          let life = g.log.filter { $0.subject == a.id.subject }.map(\.short).joined(separator: "\n")
          Issue.record("seed \(seed): the row\n\(row)\nis not the engine's\n\(a)\nafter\n\(life)")
          return
        }
      }
    }
  }

  private static func isSame(_ row: AlertSummary, _ a: Lifecycle.AlertState) -> Bool {
    let identity = row.version == a.version && row.generation == a.generation && row.openedAt == a.openedAt
    let condition =
      (row.condition == .firing) == a.isFiring && row.severity == a.severity && row.flapping == a.isFlapping
      && row.lastSeenAt == a.lastSeenAt && row.count == a.count
    let handling =
      row.state == a.state && row.seen == a.seen && row.acknowledgedBy == a.acknowledgedBy
      && row.acknowledgedAt == a.acknowledgedAt && row.acknowledgedUntil == a.acknowledgedUntil
      && row.assignee == a.assignee && row.snoozedUntil == a.snoozedUntil
    let reasons = row.silencedBy == a.silencedBy && row.inhibitedBy == a.inhibitedBy
    let end = row.resolvedHow == a.resolvedHow && row.resolvedBy == a.resolvedBy && row.resolvedAt == a.resolvedAt
    let policy =
      (row.step ?? -1) == a.step && row.round == a.round && row.nextEscalationAt == a.nextEscalationAt
      && row.exhausted == a.isExhausted && row.route == a.route
    return identity && condition && handling && reasons && end && policy
  }
}
