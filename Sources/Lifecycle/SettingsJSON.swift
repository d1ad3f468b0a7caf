package import Alerts

// Settings as the log keeps them, in a `configured` event.

extension LifecycleSettings {
  package var json: JSON {
    .compact([
      "timezone": .string(timeZone), "reopen_within_us": .int(reopenWithin.microseconds),
      "stale_after_us": staleAfter.map { .int($0.microseconds) } ?? .null, "console_url": .text(consoleURL),
      "receivers": .array(receivers.map(\.json)), "policies": .array(policies.map(\.json)),
      "routes": .array(routes.map(\.json)),
    ])
  }

  package init(json: JSON) {
    self.init()
    timeZone = json["timezone"]?.string ?? "UTC"
    reopenWithin = json.interval("reopen_within_us") ?? reopenWithin
    staleAfter = json.interval("stale_after_us")
    consoleURL = json["console_url"]?.string
    receivers = (json["receivers"]?.array ?? []).compactMap { Receiver(json: $0) }
    policies = (json["policies"]?.array ?? []).compactMap { Policy(json: $0) }
    routes = (json["routes"]?.array ?? []).compactMap { Route(json: $0) }
  }

  /// 32 hexadecimal digits that name these settings: the same settings are taken up once.
  package var digest: String {
    let h = json.bytes.withUnsafeBytes { StableHash($0) }
    func hex(_ x: UInt64) -> String {
      let t = String(x, radix: 16)
      return String(repeating: "0", count: 16 - t.count) + t
    }
    return hex(h.high) + hex(h.low)
  }
}

extension JSON {
  fileprivate func interval(_ name: String) -> Interval? { self[name]?.int.map { Interval(microseconds: $0) } }
  fileprivate func texts(_ name: String) -> [String] { (self[name]?.array ?? []).compactMap(\.string) }
  fileprivate static func texts(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }
}

extension Receiver {
  var json: JSON {
    .compact([
      "name": .string(name),
      "targets": .array(
        targets.map { ["channel": .string($0.channel), "destination": .string($0.destination)] }),
      "schedule": .text(schedule), "fallback": .text(fallback), "patience_us": .int(patience.microseconds),
      "send_resolved": .bool(sendResolved),
    ])
  }
  init?(json: JSON) {
    guard let name = json["name"]?.string else { return nil }
    self.init(
      name: name,
      targets: (json["targets"]?.array ?? []).compactMap { t in
        t["channel"]?.string.map { Target(channel: $0, destination: t["destination"]?.string ?? "") }
      },
      schedule: json["schedule"]?.string, fallback: json["fallback"]?.string,
      patience: json.interval("patience_us") ?? .hours(24), sendResolved: json["send_resolved"]?.bool ?? true)
  }
}

extension Policy {
  var json: JSON {
    .compact([
      "name": .string(name),
      "steps": .array(steps.map { ["after_us": .int($0.after.microseconds), "notify": .texts($0.receivers)] }),
      "repeat": .int(repeats),
      "acknowledge_timeout_us": acknowledgeTimeout.map { .int($0.microseconds) } ?? .null,
    ])
  }
  init?(json: JSON) {
    guard let name = json["name"]?.string else { return nil }
    self.init(
      name: name,
      steps: (json["steps"]?.array ?? []).map {
        Step(after: $0.interval("after_us") ?? .zero, receivers: $0.texts("notify"))
      },
      repeats: Int(json["repeat"]?.int ?? 0), acknowledgeTimeout: json.interval("acknowledge_timeout_us"))
  }
}

extension Route {
  var json: JSON {
    var members: [JSON.Member] = [.init("match", .array(matchers.map(\.json)))]
    switch delivery {
    case .policy(let name): members.append(.init("policy", .string(name)))
    case .notify(let receivers): members.append(.init("notify", .texts(receivers)))
    case .group(let receivers, let g):
      members.append(.init("notify", .texts(receivers)))
      members.append(
        .init(
          "group",
          ["by": .texts(g.by), "wait_us": .int(g.wait.microseconds), "interval_us": .int(g.interval.microseconds)]))
    case .dashboardOnly: members.append(.init("dashboard_only", true))
    }
    if continues { members.append(.init("continue", true)) }
    return .object(members)
  }
  init?(json: JSON) {
    let matchers = (json["match"]?.array ?? []).compactMap { Matcher(json: $0) }
    let delivery: Delivery
    if let name = json["policy"]?.string {
      delivery = .policy(name)
    } else if let g = json["group"] {
      delivery = .group(
        json.texts("notify"),
        Grouping(
          by: g.texts("by"), wait: g.interval("wait_us") ?? .minutes(5),
          interval: g.interval("interval_us") ?? .minutes(30)))
    } else if json["dashboard_only"]?.bool == true {
      delivery = .dashboardOnly
    } else {
      delivery = .notify(json.texts("notify"))
    }
    self.init(matchers: matchers, delivery: delivery, continues: json["continue"]?.bool ?? false)
  }
}
