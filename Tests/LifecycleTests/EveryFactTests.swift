import Alerts
import Lifecycle
import Testing

/// Every kind of fact once: what was so, what happens, and exactly what is said of it.
@Suite struct EveryFactTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var settings: LifecycleSettings = .plain
    /// What happened before.
    var given: @Sendable (inout Given) -> Void = { _ in }
    var when: @Sendable (inout Given) -> Void
    /// In short, in their order.
    var then: [String]
    var testDescription: String { name }
  }

  private static let cpu = AlertID(1)
  private static let all = [Matcher(name: "event_type", value: "host")]
  private static let explained = LifecycleSettings.plain.with {
    $0.inhibitions = [
      InhibitionRule(
        name: "down", source: [Matcher(name: "metric", value: "down")],
        target: [Matcher(name: "metric", value: "down", isEqual: false)], equal: [])
    ]
  }
  private static let flapping = LifecycleSettings.plain.with {
    $0.flapping = .init(changes: 2, within: .hours(1), steadyAfter: .minutes(20))
  }
  /// It opens, and whoever is to be told was told.
  private static let open: @Sendable (inout Given) -> Void = { g in
    g.fires()
    g.deliver()
  }

  static let cases: [Case] = [
    Case(
      name: "a configuration is taken up",
      when: { $0.engine.adopt(.plain.with { $0.routes.removeLast() }, now: $0.now) },
      then: ["configured"]),
    Case(name: "an anomaly opens an alert", when: { $0.fires() }, then: ["detected", "requested firing ops/email"]),
    Case(name: "what is for the dashboard tells nobody", when: { $0.fires("cpu", .low) }, then: ["detected"]),
    Case(name: "a repeat counts", given: open, when: { $0.fires() }, then: ["deduplicated ×1"]),
    Case(
      name: "it gets worse", given: { $0.fires("cpu", .low) }, when: { $0.fires() },
      then: ["deduplicated ×1", "severity_raised", "escalated 0/0 severity_raised", "requested firing ops/email"]),
    Case(
      name: "its detector clears it", given: open, when: { $0.clears() },
      then: ["cleared", "resolved cleared", "requested resolved ops/email"]),
    Case(
      name: "it comes back soon",
      given: { g in
        open(&g)
        g.clears()
        g.deliver()
      }, when: { $0.fires() }, then: ["reopened", "escalated 0/0 reopened", "requested firing ops/email"]),
    Case(
      name: "it is not heard of any more",
      settings: .plain.with { $0.staleAfter = .minutes(10) }, given: open, when: { $0.passes(.minutes(11)) },
      then: ["resolved stale", "requested resolved ops/email"]),
    Case(
      name: "it flaps", settings: flapping,
      given: { g in
        open(&g)
        g.clears()
        g.fires()
        g.clears()
        g.deliver()
      }, when: { $0.fires() }, then: ["reopened", "escalated 0/0 reopened", "requested firing ops/email", "flapping"]),
    Case(
      name: "it flaps no more", settings: flapping,
      given: { g in
        open(&g)
        for _ in 0..<2 {
          g.clears()
          g.fires()
        }
        g.deliver()
        _ = g.command(.acknowledge, cpu)
        g.deliver()
      }, when: { $0.passes(.minutes(21)) }, then: ["steady"]),
    Case(
      name: "somebody takes it", given: { $0.fires() }, when: { _ = $0.command(.acknowledge, cpu) },
      then: ["acknowledged", "cancelled: acknowledged by ana"]),
    Case(
      name: "somebody gives it back",
      given: { g in
        open(&g)
        _ = g.command(.acknowledge, cpu)
      }, when: { _ = $0.command(.unacknowledge, cpu) },
      then: ["unacknowledged responder", "escalated 0/0 resumed", "requested firing ops/email"]),
    Case(
      name: "an acknowledgement runs out",
      given: { g in
        open(&g)
        _ = g.command(.acknowledge, cpu)
        g.passes(.hours(4) + .seconds(-1))
        g.deliver()
      }, when: { $0.passes(.seconds(2)) },
      then: ["unacknowledged timeout", "escalated 0/0 resumed", "requested firing ops/email"]),
    Case(name: "it is put off", given: open, when: { _ = $0.command(.snooze(.hours(2)), cpu) }, then: ["snoozed"]),
    Case(
      name: "its time comes again",
      given: { g in
        open(&g)
        _ = g.command(.snooze(.hours(2)), cpu)
      }, when: { $0.passes(.hours(2)) },
      then: ["unsnoozed elapsed", "escalated 0/0 resumed", "requested firing ops/email"]),
    Case(name: "a comment", given: open, when: { _ = $0.command(.comment("looking"), cpu) }, then: ["commented"]),
    Case(name: "it is somebody's", given: open, when: { _ = $0.command(.assign(to: "ben"), cpu) }, then: ["assigned"]),
    Case(
      name: "it was none", given: open, when: { _ = $0.command(.label(.false_positive), cpu) }, then: ["labelled"]),
    Case(
      name: "a silence holds what is open", given: open,
      when: { g in _ = g.command(.silence(matchers: all, startsAt: nil, endsAt: g.now + .hours(1))) },
      then: ["silence_added", "silenced"]),
    Case(
      name: "a silence ends",
      given: { g in
        open(&g)
        _ = g.command(.silence(matchers: all, startsAt: nil, endsAt: g.now + .hours(1)))
      }, when: { $0.passes(.hours(1)) },
      then: ["silence_expired", "unsilenced", "escalated 0/0 resumed", "requested firing ops/email"]),
    Case(
      name: "another alert explains it", settings: explained, given: open, when: { $0.fires("down", .low) },
      then: ["detected", "inhibited"]),
    Case(
      name: "what explained it is over", settings: explained,
      given: { g in
        open(&g)
        g.fires("down", .low)
      }, when: { $0.clears("down") },
      then: ["cleared", "resolved cleared", "uninhibited", "escalated 0/0 resumed", "requested firing ops/email"]),
    Case(
      name: "nobody acknowledges", given: open, when: { $0.passes(.minutes(15)) },
      then: ["escalated 1/0 delay", "requested firing chat/slack"]),
    Case(
      name: "the policy has no step left",
      given: { g in
        open(&g)
        for _ in 0..<100 {
          g.passes(.minutes(5))
          g.deliver()
          if g.news().contains(where: { $0.type == .escalated && $0.short.hasPrefix("escalated 2/1") }) { break }
        }
      }, when: { $0.passes(.hours(2)) }, then: ["exhausted"]),
    Case(
      name: "a message arrives", given: { $0.fires() }, when: { $0.deliver() }, then: ["notification_delivered"]),
    Case(
      name: "a provider is busy", given: { $0.fires() },
      when: { g in if let p = g.lease() { g.receipt(p, .retry) } }, then: ["notification_attempted"]),
    Case(
      name: "a message can't be delivered", given: { $0.fires() },
      when: { g in if let p = g.lease() { g.receipt(p, .failed) } },
      then: ["notification_failed", "escalated 1/0 delivery_failed", "requested firing chat/slack"]),
    Case(
      name: "whoever had it is gone",
      given: { g in
        g.fires()
        _ = g.lease()
      },
      when: { g in
        for position in g.engine.ledger.pending.keys { g.engine.workerIsGone(position, "w", now: g.now) }
      }, then: ["notification_attempted"]),
  ]

  @Test(arguments: cases) func exactlyThisIsSaid(_ c: Case) {
    var g = Given(c.settings)
    c.given(&g)
    _ = g.news()
    c.when(&g)
    #expect(g.said() == c.then)
    g.replayMatches()
  }

  @Test func everyKindIsAmongThem() {
    var said: Set<EventType> = []
    for c in EveryFactTests.cases {
      var g = Given(c.settings)
      c.given(&g)
      _ = g.news()
      c.when(&g)
      said.formUnion(g.news().map(\.type))
    }
    #expect(said == Set(EventType.allCases), "missing: \(Set(EventType.allCases).subtracting(said))")
  }
}
