import Alerts
import Lifecycle
import Testing

@Suite struct HandlingTests {
  @Test func acknowledgingStopsThePolicyAndWithdrawsWhatWaits() {
    var g = Given()
    let id = g.fires()
    g.command(.acknowledge, id)
    #expect(g.said().contains("cancelled: acknowledged by ana"))
    g.passes(.hours(3))
    #expect(g.deliver() == [])
  }

  @Test func anAcknowledgementRunsOutAfterAReminderAndThePolicyBeginsAgain() {
    var g = Given()
    let id = g.fires()
    g.deliver()
    g.passes(.minutes(15))
    g.deliver()
    g.command(.acknowledge, id)
    g.deliver()
    g.passes(.hours(3) + .minutes(44))
    #expect(g.deliver() == [])
    g.passes(.minutes(1))
    #expect(g.deliver() == ["\(id) reminder chat/slack"])
    g.passes(.minutes(14))
    _ = g.said()
    g.passes(.minutes(1))
    #expect(
      g.said() == ["unacknowledged timeout", "escalated 0/0 resumed", "requested firing ops/email"])
    g.replayMatches()
  }

  @Test(arguments: [
    Command.Action.acknowledge, .unacknowledge, .snooze(.hours(1)), .escalate,
  ])
  func aResolvedAlertRefuses(_ action: Command.Action) {
    var g = Given()
    let id = g.fires()
    g.command(.resolve, id)
    _ = g.said()
    #expect(g.command(action, id).code == .not_allowed_in_state)
    #expect(g.said() == [])
  }

  @Test func aStaleVersionIsRefusedAndALaterFactThatDoesNotMatterIsNot() {
    var g = Given()
    let id = g.fires("cpu", .medium)
    let seen = g.state(id).version
    g.deliver()
    g.fires("cpu", .medium)
    #expect(g.command(.acknowledge, id, version: seen).code == nil)
    #expect(g.command(.resolve, id, version: seen).code == .stale_version)
    #expect(g.command(.resolve, id, version: 1000).code == .stale_version)
    #expect(g.command(.resolve, AlertID(77)).code == .unknown_alert)
  }

  @Test func aRepeatedCommandChangesNothing() {
    var g = Given()
    let id = g.fires()
    let seen = g.state(id).version
    let first = g.command(.acknowledge, id, version: seen)
    _ = g.said()
    #expect(g.command(.acknowledge, id, version: seen).body?["alert"]?["version"] == first.body?["alert"]?["version"])
    #expect(g.said() == [])
    g.command(.resolve, id)
    _ = g.said()
    #expect(g.command(.resolve, id).code == nil)
    #expect(g.said() == [])
  }

  @Test func aSnoozeEndsAndLooksAgain() {
    var g = Given()
    let id = g.fires()
    g.deliver()
    g.command(.snooze(.hours(2)), id)
    g.passes(.minutes(119))
    #expect(g.deliver() == [])
    _ = g.said()
    g.passes(.minutes(2))
    #expect(g.said() == ["unsnoozed elapsed", "escalated 0/0 resumed", "requested firing ops/email"])
  }

  @Test func aSnoozeThatWasMadeLongerEndsOnceAtItsNewTime() {
    var g = Given()
    let id = g.fires()
    g.deliver()
    g.command(.snooze(.hours(1)), id)
    g.command(.snooze(.hours(3)), id)
    g.passes(.hours(2))
    #expect(g.state(id).snoozedUntil != nil)
    g.passes(.hours(1))
    #expect(g.state(id).snoozedUntil == nil)
  }

  @Test func takingItBackBeginsThePolicyAgain() {
    var g = Given()
    let id = g.fires()
    g.deliver()
    g.command(.acknowledge, id)
    _ = g.said()
    g.command(.unacknowledge, id)
    #expect(g.said() == ["unacknowledged responder", "escalated 0/0 resumed", "requested firing ops/email"])
  }

  @Test func escalatingByHandGoesOnAndBeginsAgainWhenThePolicyIsExhausted() {
    var g = Given()
    let id = g.fires()
    g.deliver()
    _ = g.said()
    g.command(.escalate, id)
    #expect(g.said() == ["escalated 1/0 by_hand", "requested firing chat/slack"])
    g.passes(.days(1))
    #expect(g.state(id).isExhausted)
    _ = g.said()
    g.command(.escalate, id)
    #expect(g.said().first == "escalated 0/2 by_hand")
  }

  @Test func commentsLabelsAndOwnersChangeNothingElse() {
    var g = Given()
    let id = g.fires()
    _ = g.said()
    g.command(.comment("hm"), id)
    g.command(.label(.false_positive), id)
    g.command(.assign(to: "ben"), id)
    g.command(.assign(to: "ben"), id)
    #expect(g.said() == ["commented", "labelled", "assigned"])
    #expect(g.state(id).assignee == "ben")
    #expect(g.state(id).nextEscalationAt != nil)
  }

  @Test func aDigestIsOrderedOnceForEver() {
    var g = Given()
    let order = DigestOrder(key: "digest/weekly/2026-11-16/ops", receiver: "ops", content: ["text": "x"])
    #expect(g.command(.digest(order)).code == nil)
    #expect(g.said() == ["requested digest ops/email"])
    #expect(g.command(.digest(order)).body?["already"] == true)
    g.restarts()
    #expect(g.command(.digest(order)).body?["already"] == true)
    #expect(g.command(.digest(DigestOrder(key: "k", receiver: "nobody", content: .null))).code == .invalid)
    #expect(g.said() == [])
  }
}
