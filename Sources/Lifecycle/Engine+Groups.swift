import Alerts

extension Engine {
  /// Notes that an alert has something to tell its group.
  mutating func joinGroup(_ id: AlertID, _ a: AlertState, now: Timestamp) {
    guard let key = a.route.groupKey, let subject = a.route.group, let index = a.route.index,
      let settings = configurations[a.route.configuration], settings.routes.indices.contains(index),
      case .group(_, let grouping) = settings.routes[index].delivery
    else { return }
    var g =
      groups[key]
      ?? GroupState(subject: subject, configuration: a.route.configuration, route: index, grouping: grouping)
    numbers[.group] = max(numbers[.group] ?? 0, subject.number)
    // An alert that ended before its group was told of it is nobody's business.
    if a.isResolved, !g.told.contains(id) {
      g.waiting.removeAll { $0 == id }
    } else if !g.waiting.contains(id) {
      g.waiting.append(id)
    }
    if g.waiting.isEmpty {
      g.dueAt = nil
    } else if g.dueAt == nil {
      let due = max(now + grouping.wait, g.lastSentAt.map { $0 + grouping.interval } ?? now)
      g.dueAt = due
      deadlines.add(.group(key), at: due)
    }
    groups[key] = g
  }

  mutating func flushGroup(_ key: String, now: Timestamp) {
    guard let g = groups[key], let due = g.dueAt, due <= now else { return }
    // Whoever is silenced, snoozed or acknowledged by now comes back by itself when that ends.
    let members = g.waiting.filter { id in
      guard let a = alerts[id] else { return false }
      return a.isResolved ? g.told.contains(id) : a.held == nil
    }
    groups[key]?.dueAt = nil
    groups[key]?.waiting = []
    guard !members.isEmpty, let settings = configurations[g.configuration], settings.routes.indices.contains(g.route),
      case .group(let receivers, _) = settings.routes[g.route].delivery
    else { return }
    let cause = members.compactMap { alerts[$0]?.decisivePosition }.max()
    for place in places(of: receivers, configuration: g.configuration) {
      request(.summary, g.subject, place, members: members, cause: cause, now: now)
    }
  }

  mutating func groupWasTold(_ subject: Subject, _ members: [AlertID], at time: Timestamp) {
    guard let key = groups.first(where: { $0.value.subject == subject })?.key else { return }
    groups[key]?.lastSentAt = time
    groups[key]?.dueAt = nil
    groups[key]?.waiting.removeAll { members.contains($0) }
    for id in members {
      if alerts[id]?.isResolved == true { groups[key]?.told.remove(id) } else { groups[key]?.told.insert(id) }
    }
  }
}
