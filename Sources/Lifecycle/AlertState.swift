package import Alerts

/// One alert, as decisions need it. Everything else about it stands in the log.
///
/// Two axes that never overwrite each other: ``isFiring`` belongs to the detectors, ``acknowledgedBy``, ``assignee`` and
/// ``snoozedUntil`` to people. ``silencedBy`` and ``inhibitedBy`` are reasons why nobody is told, beside both.
///
/// A million open alerts each keep one: what all have is here, what few have (see ``Handled``) in a box, and what many have in
/// common (route, places told) is shared.
package struct AlertState: Sendable, Equatable {
  package let id: AlertID
  package let key: StableHash
  package var labels: PackedLabels
  package var openedAt: Timestamp
  package var lastSeenAt: Timestamp
  var escalation = Int64.max
  /// The position of the newest event that carries a firing anomaly.
  package var anomalyPosition: Int64
  /// The position of the newest event that changes what is told: the cause of what follows from it.
  package var decisivePosition: Int64
  var sharedRoute: FrozenRoute
  var box: HandledBox?
  /// Places that were told that it fires, and are owed its end. One for each target, in the order in which they were told.
  package var told: [Place] = []
  /// Groups in whose messages it waits to be told of, or was told of as firing.
  package var groups: [Subject] = []
  var counts: (version: Int32, decisive: Int32, generation: Int32, count: Int32)
  var steps: (step: Int16, round: Int16) = (-1, 0)
  package var severity: Severity
  package var isFiring = true
  package var isResolved = false
  package var seen = false
  package var isFlapping = false
  package var isExhausted = false
  /// The step was reached outside its hours, and waits for them: ``nextEscalationAt`` says until when.
  package var isWaiting = false

  /// Where a message goes: a receiver's channel.
  package struct Place: Sendable, Hashable {
    package var receiver: String
    package var target: Receiver.Target
    package init(receiver: String, target: Receiver.Target) {
      self.receiver = receiver
      self.target = target
    }
  }

  /// What only alerts have that somebody or something has touched.
  package struct Handled: Sendable, Equatable {
    package var acknowledgedBy: String?
    package var acknowledgedAt: Timestamp?
    package var acknowledgedUntil: Timestamp?
    /// Whoever acknowledged it was told that this runs out soon.
    package var wasReminded = false
    package var assignee: String?
    package var snoozedUntil: Timestamp?
    /// The snooze ends sooner if the value differs from ``snoozedValue`` by more than this fraction of it.
    package var unlessChanged: Double?
    package var snoozedValue: Double?
    /// Since when it may be told, if something had held it back before.
    package var freeSince: Timestamp?
    package var silencedBy: [Subject] = []
    package var inhibitedBy: AlertID?
    package var resolvedHow: Resolved.How?
    package var resolvedBy: String?
    package var resolvedAt: Timestamp?
    /// An anomaly before this reopens it: by the configuration that it ended under, so that its life does not depend on when a later one came.
    package var reopenUntil: Timestamp?
    /// When it fired again after an end, of late: see ``Flaps``.
    package var reopenings: [Timestamp] = []
  }

  package static func == (a: AlertState, b: AlertState) -> Bool {
    a.id == b.id && a.key == b.key && a.labels == b.labels && a.openedAt == b.openedAt && a.lastSeenAt == b.lastSeenAt
      && a.escalation == b.escalation && a.anomalyPosition == b.anomalyPosition
      && a.decisivePosition == b.decisivePosition && a.sharedRoute == b.sharedRoute && a.handled == b.handled
      && a.told == b.told && a.groups == b.groups && a.counts == b.counts && a.steps == b.steps
      && a.severity == b.severity && a.isFiring == b.isFiring && a.isResolved == b.isResolved && a.seen == b.seen
      && a.isFlapping == b.isFlapping && a.isExhausted == b.isExhausted && a.isWaiting == b.isWaiting
  }
}

/// What few alerts have, by itself.
///
/// Unchecked: it is changed only by the one state that holds it; a state that shares it with a copy changes another one.
final class HandledBox: @unchecked Sendable, Equatable, CustomStringConvertible {
  fileprivate(set) var value: AlertState.Handled
  init(_ value: AlertState.Handled) { self.value = value }
  static func == (a: HandledBox, b: HandledBox) -> Bool { a === b || a.value == b.value }
  var description: String { "\(value)" }
}

extension AlertState {
  package var version: Int {
    get { Int(counts.version) }
    set { counts.version = Int32(clamping: newValue) }
  }
  /// The version of the newest fact that changes what a command would mean; a command that saw less is stale.
  package var decisiveVersion: Int {
    get { Int(counts.decisive) }
    set { counts.decisive = Int32(clamping: newValue) }
  }
  package var generation: Int { Int(counts.generation) }
  package var count: Int {
    get { Int(counts.count) }
    set { counts.count = Int32(clamping: newValue) }
  }
  /// The step that was told last, from 0; -1 before the first.
  package var step: Int {
    get { Int(steps.step) }
    set { steps.step = Int16(clamping: newValue) }
  }
  package var round: Int {
    get { Int(steps.round) }
    set { steps.round = Int16(clamping: newValue) }
  }
  /// When the policy moves on, unless something holds it.
  package var nextEscalationAt: Timestamp? {
    get { escalation == .max ? nil : Timestamp(microseconds: escalation) }
    set { escalation = newValue?.microseconds ?? .max }
  }
  package var route: RouteTaken {
    get { sharedRoute.route }
    set { sharedRoute = FrozenRoute(newValue) }
  }
  mutating func share(route: FrozenRoute) { sharedRoute = route }

  package var handled: Handled {
    get { box?.value ?? Handled() }
    _modify {
      // In its place, if no copy of this state holds it too.
      if box != nil, !isKnownUniquelyReferenced(&box) { box = box.map { HandledBox($0.value) } }
      let held = box ?? HandledBox(Handled())
      defer { box = held.value == Handled() ? nil : held }
      yield &held.value
    }
    set { box = newValue == Handled() ? nil : HandledBox(newValue) }
  }
  package var acknowledgedBy: String? { box?.value.acknowledgedBy }
  package var acknowledgedAt: Timestamp? { box?.value.acknowledgedAt }
  package var acknowledgedUntil: Timestamp? { box?.value.acknowledgedUntil }
  package var assignee: String? { box?.value.assignee }
  package var snoozedUntil: Timestamp? { box?.value.snoozedUntil }
  package var silencedBy: [Subject] { box?.value.silencedBy ?? [] }
  package var inhibitedBy: AlertID? { box?.value.inhibitedBy }
  package var resolvedHow: Resolved.How? { box?.value.resolvedHow }
  package var resolvedBy: String? { box?.value.resolvedBy }
  package var resolvedAt: Timestamp? { box?.value.resolvedAt }
  package var reopenUntil: Timestamp? { box?.value.reopenUntil }
  /// When a resolved alert may leave memory; nil for one that is open.
  package var leavesAt: Timestamp? { isResolved ? box?.value.reopenUntil ?? box?.value.resolvedAt ?? lastSeenAt : nil }
  package var reopenings: [Timestamp] { box?.value.reopenings ?? [] }

  /// Since when nothing has kept people from hearing of it.
  package var freeSince: Timestamp { box?.value.freeSince ?? openedAt }

  /// Whether a snooze that holds until the value changes is over with this one.
  package func endsSnooze(_ new: Double?) -> Bool {
    guard let h = box?.value, h.snoozedUntil != nil, let fraction = h.unlessChanged else { return false }
    guard let before = h.snoozedValue, let new else { return (h.snoozedValue == nil) != (new == nil) }
    return fraction == 0 ? new != before : (new - before).magnitude > fraction * before.magnitude
  }

  /// Why nobody is told at the moment, or nil.
  package var held: String? {
    if isResolved { return "resolved" }
    guard let h = box?.value else { return nil }
    if let by = h.acknowledgedBy { return "acknowledged by \(by)" }
    if h.snoozedUntil != nil { return "snoozed" }
    if let s = h.silencedBy.first { return "silenced by \(s)" }
    if let by = h.inhibitedBy { return "inhibited by \(by)" }
    return nil
  }

  package var isHeld: Bool {
    if isResolved { return true }
    guard let h = box?.value else { return false }
    return h.acknowledgedBy != nil || h.snoozedUntil != nil || !h.silencedBy.isEmpty || h.inhibitedBy != nil
  }

  package var state: AlertSummary.State {
    isResolved ? .resolved : acknowledgedBy != nil ? .acknowledged : .open
  }

  /// A life's first event makes the state.
  package init?(opening e: Fact) {
    guard case .detected(let d) = e.event else { return nil }
    id = AlertID(e.subject.number)
    key = d.key
    labels = d.labels
    openedAt = e.recordedAt
    lastSeenAt = e.recordedAt
    anomalyPosition = e.position
    decisivePosition = e.position
    sharedRoute = d.route
    let version = Int32(clamping: e.version)
    counts = (version, version, Int32(clamping: d.generation), 1)
    severity = d.severity
  }
}
