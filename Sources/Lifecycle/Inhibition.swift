import Alerts

/// Which open alerts explain which: an index over the rules of the configuration in force, so that an alert that opens or ends asks only about
/// those that share its values, and never about all.
struct InhibitionIndex: Sendable {
  private struct Side: Hashable, Sendable {
    var rule: Int
    var values: String
  }
  private struct Role: Sendable, Equatable {
    var sources: [Side] = []
    var targets: [Side] = []
  }
  private struct Rule: Sendable {
    var name: String
    var source: [Matcher]
    var target: [Matcher]
    var equal: [String]
    /// Of a dependency: its label; the value counts as the source's own, and as each of its ancestors' for a target.
    var dependency: DependencyRule?
  }

  private var rules: [Rule] = []
  private var sources: [Side: Set<AlertID>] = [:]
  private var targets: [Side: Set<AlertID>] = [:]
  private var roles: [AlertID: Role] = [:]

  init() {}

  init(_ settings: LifecycleSettings) {
    rules =
      settings.inhibitions.map {
        Rule(name: $0.name, source: $0.source, target: $0.target, equal: $0.equal, dependency: nil)
      }
      + settings.dependencies.map {
        Rule(name: "depends on \($0.label)", source: [], target: [], equal: [], dependency: $0)
      }
  }

  var isEmpty: Bool { rules.isEmpty }

  mutating func add(_ a: AlertState) {
    guard !rules.isEmpty else { return }
    let role = role(of: a)
    if role == Role() { return }
    roles[a.id] = role
    for side in role.sources { sources[side, default: []].insert(a.id) }
    for side in role.targets { targets[side, default: []].insert(a.id) }
  }

  mutating func remove(_ a: AlertState) {
    guard let role = roles.removeValue(forKey: a.id) else { return }
    for side in role.sources {
      sources[side]?.remove(a.id)
      if sources[side]?.isEmpty == true { sources[side] = nil }
    }
    for side in role.targets {
      targets[side]?.remove(a.id)
      if targets[side]?.isEmpty == true { targets[side] = nil }
    }
  }

  mutating func update(_ a: AlertState) {
    remove(a)
    add(a)
  }

  /// Open alerts that this one may explain, with the rule's name.
  func targets(of source: AlertID) -> [(id: AlertID, rule: String)] {
    guard let role = roles[source] else { return [] }
    var found: [AlertID: Int] = [:]
    for side in role.sources {
      for id in targets[side] ?? [] where id != source { found[id] = min(found[id] ?? side.rule, side.rule) }
    }
    return found.sorted { $0.key < $1.key }.map { ($0.key, rules[$0.value].name) }
  }

  /// Open alerts that may explain this one, oldest first, with the rule's name.
  func sources(of target: AlertID) -> [(id: AlertID, rule: String)] {
    guard let role = roles[target] else { return [] }
    var found: [AlertID: Int] = [:]
    for side in role.targets {
      for id in sources[side] ?? [] where id != target { found[id] = min(found[id] ?? side.rule, side.rule) }
    }
    return found.sorted { $0.key < $1.key }.map { ($0.key, rules[$0.value].name) }
  }

  private func role(of a: AlertState) -> Role {
    var role = Role()
    for (i, rule) in rules.enumerated() {
      if let d = rule.dependency {
        guard let entity = a.labels[d.label] else { continue }
        role.sources.append(Side(rule: i, values: entity))
        for parent in d.ancestors(of: entity) { role.targets.append(Side(rule: i, values: parent)) }
        continue
      }
      let side = Side(rule: i, values: rule.equal.map { a.labels[$0] ?? "" }.joined(separator: "\u{1F}"))
      if a.labels.matches(rule.source, severity: a.severity) { role.sources.append(side) }
      if a.labels.matches(rule.target, severity: a.severity) { role.targets.append(side) }
    }
    return role
  }
}

extension Engine {
  /// The longest chain of alerts that explain each other.
  private static let chainLimit = 32

  /// Holds an alert that another one explains.
  mutating func holdIfInhibited(_ id: AlertID, now: Timestamp) {
    guard !inhibitions.isEmpty, let a = alerts[id], !a.isResolved, a.inhibitedBy == nil else { return }
    guard let (source, rule) = inhibitions.sources(of: id).first(where: { mayInhibit($0.id, id) }) else { return }
    inhibit(id, by: source, rule: rule, cause: alerts[source]?.decisivePosition, now: now)
  }

  /// Holds what an alert that opened, reopened or got worse explains.
  mutating func holdTargets(of id: AlertID, now: Timestamp) {
    guard !inhibitions.isEmpty, let a = alerts[id], !a.isResolved else { return }
    for (target, rule) in inhibitions.targets(of: id) where alerts[target]?.inhibitedBy == nil && mayInhibit(id, target)
    {
      inhibit(target, by: id, rule: rule, cause: a.decisivePosition, now: now)
    }
  }

  /// Looks again at what an alert explained that does so no longer.
  mutating func releaseTargets(of id: AlertID, _ former: [AlertID], cause: Int64, now: Timestamp) {
    for target in former where alerts[target]?.inhibitedBy == id { release(target, from: id, cause: cause, now: now) }
  }

  mutating func release(_ target: AlertID, from id: AlertID, cause: Int64, now: Timestamp) {
    let position = emit(.uninhibited(Uninhibited(by: id)), about: target.subject, now: now, cause: cause)
    holdIfInhibited(target, now: now)
    resume(target, Occasion(.inhibition_ended, by: id.description), cause: position, now: now)
  }

  private mutating func inhibit(_ id: AlertID, by source: AlertID, rule: String, cause: Int64?, now: Timestamp) {
    let position = emit(.inhibited(Inhibited(by: source, rule: rule)), about: id.subject, now: now, cause: cause)
    cancel(id, now: now, cause: position, reason: "inhibited by \(source)") { $0.purpose == .firing }
  }

  /// Not if the source is itself explained by the target, however indirectly: two that explain each other would both fall silent.
  private func mayInhibit(_ source: AlertID, _ target: AlertID) -> Bool {
    guard alerts[source]?.isResolved == false else { return false }
    var next: AlertID? = source
    for _ in 0..<Engine.chainLimit {
      guard let id = next else { return true }
      if id == target { return false }
      next = alerts[id]?.inhibitedBy
    }
    return false
  }
}
