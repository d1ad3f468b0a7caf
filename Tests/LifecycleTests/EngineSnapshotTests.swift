import Alerts
import Testing

@testable import Lifecycle

/// A snapshot is the state, all of it, and nothing but the state. Random histories are cut and taken up again by ``Given/replayMatches(sourceLocation:)``.
@Suite struct EngineSnapshotTests {
  /// A history in which every kind of state has something in it.
  private func fullEngine() -> Given {
    var g = Given(
      .plain.with {
        $0.storm = StormRule(after: 2)
        $0.maintenance = [
          MaintenanceWindow(
            name: "nightly", matchers: [Matcher(name: "metric", value: "k9")], minuteOfDay: 601, duration: .hours(1),
            timeZone: "UTC")
        ]
        $0.flapping = FlappingRule(changes: 2, within: .hours(1), steadyAfter: .minutes(20))
      })
    g.passes(.minutes(2))
    for i in 0..<6 { g.fires("c\(i)", .critical) }
    g.fires("h", .high, labels: ["é": "ü\u{1F}\"", "zone": "a=b"])
    g.command(
      .silence(
        matchers: [Matcher(name: "metric", value: "k.*", isRegex: true)], startsAt: nil, endsAt: g.now + .hours(2)))
    g.fires("k1", .critical)
    let a = g.fires("ack", .critical)
    if let p = g.lease() { g.receipt(p, .delivered) }
    g.deliver()
    g.command(.acknowledge, a)
    g.command(.assign(to: "ben"), a)
    g.fires("flap", .medium)
    for _ in 0..<3 {
      g.clears("flap")
      g.fires("flap", .medium)
    }
    g.command(.snooze(.hours(1)), g.fires("snoozed", .critical))
    g.clears("c0")
    g.passes(.minutes(6))
    g.deliver()
    // Something is owed still.
    g.fires("c9", .critical)
    return g
  }

  @Test func everyStoredPropertyIsCarriedOrSaidToFollow() {
    var g = fullEngine()
    g.replayMatches()
    var found: [String: (type: any Packed.Type, names: Set<String>)] = [:]
    StoredProperties.types(below: g.engine, into: &found)
    for type in ["Engine", "AlertState", "Handled", "GroupState", "Silence", "Ledger", "Pending", "Ring", "Life"] {
      #expect(found[type] != nil, "the history has no \(type): it proves nothing about it")
    }
    for (name, (type, names)) in found {
      var said = Set(type.carried)
      switch name {
      case "Engine": said.formUnion(Engine.derived + Engine.transient)
      case "Ledger": said.formUnion(Ledger.derived)
      case "Pending": said.formUnion(Ledger.Pending.transient)
      default: break
      }
      #expect(
        names == said,
        """
        \(name) has stored properties that its snapshot does not know, or knows some that are gone: \
        \(names.symmetricDifference(said).sorted()). Pack what is state, in Sources/Lifecycle/Snapshot; name what is not among \
        derived or transient.
        """)
    }
  }

  @Test func aSnapshotThatIsCutOrChangedMakesNoSenseOrTellsAnotherState() throws {
    let g = fullEngine()
    let bytes = try #require(g.engine.snapshot(now: g.now))
    for length in 0..<bytes.count {
      let cut = Array(bytes.prefix(length))
      #expect(cut.withUnsafeBytes { Engine(snapshot: $0) } == nil, "cut at \(length)")
    }
    // Never a crash, whatever stands in it: the file's own hash is what finds changes.
    var d = Draw(state: 7)
    for _ in 0..<2000 {
      var changed = bytes
      changed[d.below(changed.count)] = UInt8(d.below(256))
      _ = changed.withUnsafeBytes { Engine(snapshot: $0) }
    }
  }

  @Test func nothingIsTakenWhileADecisionWaitsForItsCommit() {
    var g = Given()
    var a = Anomaly(id: "1", source: "d", time: g.now, eventType: "host", metric: "cpu")
    g.engine.take(a, now: g.now)
    #expect(g.engine.snapshot(now: g.now) == nil)
    g.commit()
    #expect(g.engine.snapshot(now: g.now) != nil)
    a.id = "2"
    g.engine.take(a, now: g.now)
    #expect(g.engine.snapshot(now: g.now) == nil, "a repeat is not in the log yet")
  }

  /// Or a start whose clock was set back in between would find things gone whose time has not come.
  @Test func whoeverBeginsWithASnapshotGoesOnFromItsTime() throws {
    let g = fullEngine()
    let taken = g.engine.recordedUpTo + .hours(3)
    for (now, time) in [(taken, taken), (g.engine.recordedUpTo - .hours(1), g.engine.recordedUpTo)] {
      let bytes = try #require(g.engine.snapshot(now: now))
      let restored = try #require(bytes.withUnsafeBytes { Engine(snapshot: $0) })
      #expect(restored.recordedUpTo == time)
    }
  }
}
