import Alerts

extension AlertState: Packed {
  static var carried: [String] {
    [
      "id", "key", "labels", "openedAt", "lastSeenAt", "escalation", "anomalyPosition", "decisivePosition",
      "sharedRoute", "box", "told", "groups", "counts", "steps", "severity", "isFiring", "isResolved", "seen",
      "isFlapping", "isExhausted", "isWaiting",
    ]
  }

  func pack(to p: inout Packer) {
    p.alert(id)
    p.hash(key)
    p.text(labels.packed)
    p.time(openedAt)
    p.int(lastSeenAt.microseconds &- openedAt.microseconds)
    p.int(escalation == .max ? 0 : escalation)
    p.int(anomalyPosition)
    p.int(decisivePosition)
    p.route(sharedRoute)
    p.optional(box) { $1.value.pack(to: &$0) }
    p.places(told)
    p.list(groups) { $0.subject($1) }
    p.int(Int64(counts.version))
    p.int(Int64(counts.decisive))
    p.int(Int64(counts.generation))
    p.int(Int64(counts.count))
    p.int(Int64(steps.step))
    p.int(Int64(steps.round))
    p.byte(severity.rawValue)
    p.byte(
      (isFiring ? 1 : 0) | (isResolved ? 2 : 0) | (seen ? 4 : 0) | (isFlapping ? 8 : 0) | (isExhausted ? 16 : 0)
        | (isWaiting ? 32 : 0))
  }

  init(from u: inout Unpacker) {
    let id = u.alert()
    let key = u.hash()
    let labels = PackedLabels(packed: u.text())
    let openedAt = u.time()
    let lastSeenAt = Timestamp(microseconds: u.int64() &+ openedAt.microseconds)
    let escalation = u.int64()
    let anomalyPosition = u.int64()
    let decisivePosition = u.int64()
    let sharedRoute = u.route()
    let box = u.optional { HandledBox(Handled(from: &$0)) }
    let told = u.placeList()
    let groups = u.list { $0.subject() }
    let counts = (
      Int32(clamping: u.int64()), Int32(clamping: u.int64()), Int32(clamping: u.int64()), Int32(clamping: u.int64())
    )
    let steps = (Int16(clamping: u.int64()), Int16(clamping: u.int64()))
    let severity = Severity(rawValue: u.byte())
    if severity == nil { u.fail() }
    let flags = u.byte()
    self.init(
      id: id, key: key, labels: labels, openedAt: openedAt, lastSeenAt: lastSeenAt,
      escalation: escalation == 0 ? .max : escalation, anomalyPosition: anomalyPosition,
      decisivePosition: decisivePosition, sharedRoute: sharedRoute, box: box, told: told, groups: groups,
      counts: counts, steps: steps, severity: severity ?? .low, isFiring: flags & 1 != 0, isResolved: flags & 2 != 0,
      seen: flags & 4 != 0, isFlapping: flags & 8 != 0, isExhausted: flags & 16 != 0,
      isWaiting: flags & 32 != 0)
  }
}

extension AlertState.Place: Packed {
  static var carried: [String] { ["receiver", "target"] }
  func pack(to p: inout Packer) {
    p.text(receiver)
    target.pack(to: &p)
  }
  init(from u: inout Unpacker) { self.init(receiver: u.text(), target: Receiver.Target(from: &u)) }
}

extension Receiver.Target: Packed {
  static var carried: [String] { ["channel", "destination"] }
  func pack(to p: inout Packer) {
    p.text(channel)
    p.text(destination)
  }
  init(from u: inout Unpacker) { self.init(channel: u.text(), destination: u.text()) }
}

extension AlertState.Handled: Packed {
  static var carried: [String] {
    [
      "acknowledgedBy", "acknowledgedAt", "acknowledgedUntil", "wasReminded", "assignee", "snoozedUntil",
      "unlessChanged",
      "snoozedValue", "freeSince", "silencedBy",
      "inhibitedBy", "resolvedHow", "resolvedBy", "resolvedAt", "reopenUntil", "reopenings",
    ]
  }
  func pack(to p: inout Packer) {
    p.optional(acknowledgedBy) { $0.text($1) }
    p.optional(acknowledgedAt) { $0.time($1) }
    p.optional(acknowledgedUntil) { $0.time($1) }
    p.bool(wasReminded)
    p.optional(assignee) { $0.text($1) }
    p.optional(snoozedUntil) { $0.time($1) }
    p.optional(unlessChanged) { $0.number($1) }
    p.optional(snoozedValue) { $0.number($1) }
    p.optional(freeSince) { $0.time($1) }
    p.list(silencedBy) { $0.subject($1) }
    p.optional(inhibitedBy) { $0.alert($1) }
    p.optional(resolvedHow) { $0.text($1.rawValue) }
    p.optional(resolvedBy) { $0.text($1) }
    p.optional(resolvedAt) { $0.time($1) }
    p.optional(reopenUntil) { $0.time($1) }
    p.list(reopenings) { $0.time($1) }
  }
  init(from u: inout Unpacker) {
    self.init()
    acknowledgedBy = u.optional { $0.text() }
    acknowledgedAt = u.optional { $0.time() }
    acknowledgedUntil = u.optional { $0.time() }
    wasReminded = u.bool()
    assignee = u.optional { $0.text() }
    snoozedUntil = u.optional { $0.time() }
    unlessChanged = u.optional { $0.number() }
    snoozedValue = u.optional { $0.number() }
    freeSince = u.optional { $0.time() }
    silencedBy = u.list { $0.subject() }
    inhibitedBy = u.optional { $0.alert() }
    resolvedHow = u.optional { $0.text() }.flatMap { Resolved.How(rawValue: $0) }
    resolvedBy = u.optional { $0.text() }
    resolvedAt = u.optional { $0.time() }
    reopenUntil = u.optional { $0.time() }
    reopenings = u.list { $0.time() }
  }
}
