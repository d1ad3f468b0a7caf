import Alerts

// Groups change by facts alone, so that a replay finds them as they were: an alert's own facts make it wait, and the request of the group's message
// takes it out. A message that comes due while all who wait are held changes nothing.

extension Engine {
  // MARK: - State

  /// Notes that an alert has something to tell its groups.
  ///
  /// - Parameter wasFree: it could be told before too: if it waits already, it goes on doing so, and does not begin anew.
  mutating func joinGroups(_ id: AlertID, now: Timestamp, wasFree: Bool = false) {
    // The route's own group has a key; those of further routes are found below.
    guard let route = alerts.look(id, { $0.sharedRoute })?.route, route.groupKey != nil || !route.also.isEmpty else {
      return
    }
    guard let a = alerts[id], let index = route.index, let settings = configurations[route.configuration] else {
      return
    }
    for i in [index] + route.also where settings.routes.indices.contains(i) {
      guard case .group(_, let grouping) = settings.routes[i].delivery else { continue }
      let key = Engine.groupKey(route.configuration, i, grouping) {
        $0 == "severity" ? a.severity.name : a.labels[$0]
      }
      let subject: Subject
      if let known = group(key, now: now) {
        subject = known
      } else {
        subject = newSubject(.group)
        add(
          GroupState(
            subject: subject, key: key, configuration: route.configuration, route: i, wait: grouping.wait,
            interval: grouping.interval))
      }
      wait(id, in: subject, now: now, wasFree: wasFree)
    }
  }

  static func groupKey(
    _ configuration: Int, _ route: Int, _ grouping: Route.Grouping, _ label: (String) -> String?
  ) -> String {
    (["\(configuration)", "\(route)"] + grouping.by.map { "\($0)=\(label($0) ?? "")" }).joined(separator: "|")
  }

  /// The group of that key, unless it is as good as none: then it may have left memory, and whoever comes opens another.
  func group(_ key: String, now: Timestamp) -> Subject? {
    groupByKey[key].flatMap { subject in groups[subject].map { isOver($0, now: now) } == false ? subject : nil }
  }

  private mutating func add(_ g: GroupState) {
    if let over = groupByKey[g.key] { groups[over] = nil }
    numbers.note(g.subject)
    groups[g.subject] = g
    groupByKey[g.key] = g.subject
  }

  /// Its message goes into the one that a storm makes of many.
  mutating func joinStormGroup(_ subject: Subject, _ p: Ledger.Pending, now: Timestamp) {
    if groups[subject] == nil {
      let rule = settings.storm ?? StormRule()
      add(
        GroupState(
          subject: subject, key: Engine.stormKey(p.place.target), configuration: configuration, place: p.place,
          wait: rule.wait, interval: rule.interval))
    }
    wait(AlertID(p.subject.number), in: subject, now: now)
  }

  private mutating func wait(_ id: AlertID, in subject: Subject, now: Timestamp, wasFree: Bool = false) {
    guard let a = alerts[id] else { return }
    let isNew = groups[subject]?.waiting.insert(id).inserted ?? true
    if !a.groups.contains(subject) { alerts[id]?.groups.append(subject) }
    schedule(
      subject, id, isCritical: a.severity == .critical && !a.isResolved, goesOn: wasFree && !isNew, now: now)
  }

  private mutating func schedule(
    _ subject: Subject, _ id: AlertID, isCritical: Bool, goesOn: Bool, now: Timestamp
  ) {
    guard let g = groups[subject] else { return }
    var due = max(now + g.wait, g.lastSentAt.map { $0 + g.interval } ?? now)
    // The first critical is never delayed by a group, and no more than a storm's moment by a storm.
    if isCritical, g.lastCriticalAt.map({ now - $0 >= g.interval }) ?? true {
      due = min(due, g.place == nil ? now : now + g.wait)
    }
    if let old = g.dueAt, old <= due {
      if old >= now || goesOn { return }
      // It came up while all who waited were held, or is about to: with somebody who waits for it already it comes up at once.
      if !areAllHeld(g, but: id) { due = now }
    }
    groups[subject]?.dueAt = due
    if !isReplaying { deadlines.add(.group(subject), at: due) }
  }

  private func areAllHeld(_ g: GroupState, but joining: AlertID) -> Bool {
    g.waiting.allSatisfy { id in id == joining || alerts[id].map { !isTellable($0, in: g) } ?? true }
  }

  private func isTellable(_ a: AlertState, in g: GroupState) -> Bool {
    a.isResolved ? g.told[a.id] != nil : !a.isHeld
  }

  private mutating func leave(_ id: AlertID, _ subject: Subject) {
    groups[subject]?.waiting.remove(id)
    groups[subject]?.told[id] = nil
    if groups[subject]?.waiting.isEmpty == true { groups[subject]?.dueAt = nil }
    alerts[id]?.groups.removeAll { $0 == subject }
    mayLeave(id)
  }

  /// It ended: those who were told of it hear so; for the others it is nobody's business.
  mutating func endInGroups(_ id: AlertID, now: Timestamp) {
    for subject in alerts.look(id, { $0.groups }) ?? [] {
      if groups[subject]?.told[id] != nil { wait(id, in: subject, now: now) } else { leave(id, subject) }
    }
  }

  /// It fires again. Groups that were not told of its end in between have nothing to hear.
  mutating func reopenInGroups(_ id: AlertID, now: Timestamp) {
    let told = (alerts[id]?.groups ?? []).filter { groups[$0]?.told[id] != nil }
    joinGroups(id, now: now)
    for subject in told {
      groups[subject]?.waiting.remove(id)
      if groups[subject]?.waiting.isEmpty == true { groups[subject]?.dueAt = nil }
    }
  }

  /// Another route has taken it over: groups that it only waited in need not tell of it.
  mutating func leaveFormerGroups(_ id: AlertID, now: Timestamp) {
    for subject in alerts[id]?.groups ?? [] where groups[subject]?.place == nil {
      groups[subject]?.waiting.remove(id)
      if groups[subject]?.told[id] == nil { leave(id, subject) }
    }
  }

  /// A place is told of it by itself: the storm's group owes nothing more there.
  mutating func leaveStormGroup(_ id: AlertID, _ target: Receiver.Target) {
    for subject in alerts.look(id, { $0.groups }) ?? [] {
      guard let place = groups[subject]?.place, place.target == target else { continue }
      owesNoEnd(of: id, subject, place)
      if groups[subject]?.told[id] == nil {
        leave(id, subject)
      } else if alerts.look(id, { $0.isResolved }) == false {
        groups[subject]?.waiting.remove(id)
        waitsNoLongerThanItMust(subject)
      }
    }
  }

  /// Comes up at no time while nobody waits who could be told.
  private mutating func waitsNoLongerThanItMust(_ subject: Subject) {
    guard let g = groups[subject], g.dueAt != nil else { return }
    if !g.waiting.contains(where: { alerts[$0].map { isTellable($0, in: g) } ?? false }) {
      groups[subject]?.dueAt = nil
    }
  }

  mutating func groupWasTold(
    _ subject: Subject, _ members: [AlertID], by place: AlertState.Place, at time: Timestamp
  ) {
    guard let g = groups[subject] else { return }
    let isOwedAnEnd = configurations[g.configuration]?.receiver(place.receiver)?.sendResolved ?? true
    groups[subject]?.lastSentAt = time
    for id in members {
      guard let a = alerts[id] else {
        groups[subject]?.waiting.remove(id)
        continue
      }
      if a.isResolved {
        // Others who heard of it are owed its end as before: the message may be a fallback's, that goes elsewhere.
        owesNoEnd(of: id, subject, place)
        if groups[subject]?.told[id] == nil { groups[subject]?.waiting.remove(id) }
      } else {
        groups[subject]?.waiting.remove(id)
        if isOwedAnEnd, groups[subject]?.told[id]?.contains(where: { $0.place.target == place.target }) != true {
          groups[subject]?.told[id, default: []].append(GroupState.Told(place: place))
        }
        if a.severity == .critical { groups[subject]?.lastCriticalAt = time }
        if groups[subject]?.told[id] == nil {
          leave(id, subject)
        } else if !a.groups.contains(subject) {
          alerts[id]?.groups.append(subject)
        }
      }
    }
    waitsNoLongerThanItMust(subject)
    guard let g = groups[subject] else { return }
    let next = time + g.interval
    // Who joined meanwhile waits for the interval behind this message, unless it is critical.
    if let due = g.dueAt, due < next, !g.waiting.contains(where: { isUrgent($0) }) { groups[subject]?.dueAt = next }
    if !isReplaying { deadlines.add(.group(subject), at: next) }
  }

  private func isUrgent(_ id: AlertID) -> Bool {
    alerts.look(id) { $0.severity == .critical && !$0.isResolved && !$0.isHeld } ?? false
  }

  /// The message arrived there, or may have.
  mutating func groupHasHeard(_ subject: Subject, _ members: [AlertID], at place: AlertState.Place) {
    for id in members {
      guard let i = groups[subject]?.told[id]?.firstIndex(where: { $0.place.target == place.target }) else { continue }
      groups[subject]?.told[id]?[i].hasArrived = true
    }
  }

  /// The message never arrived there: nobody there is owed an end, unless an earlier one did, or another is on its way.
  mutating func groupWasNotTold(_ subject: Subject, _ members: [AlertID], by place: AlertState.Place) {
    let others = ledger.about(subject).filter { $0.purpose == .summary && $0.place.target == place.target }
    for id in members where !others.contains(where: { $0.members.contains(id) }) {
      let hasArrived = groups[subject]?.told[id]?.contains { $0.place.target == place.target && $0.hasArrived }
      if hasArrived != true { owesNoEnd(of: id, subject, place) }
    }
  }

  private mutating func owesNoEnd(of id: AlertID, _ subject: Subject, _ place: AlertState.Place) {
    guard groups[subject] != nil else { return }
    groups[subject]?.told[id]?.removeAll { $0.place.target == place.target }
    guard groups[subject]?.told[id]?.isEmpty ?? true else { return }
    groups[subject]?.told[id] = nil
    // Whoever neither waits nor is owed anything is no member: a group without members leaves memory, and nobody is to look for it then.
    if alerts[id]?.isResolved == true || groups[subject]?.waiting.contains(id) != true { leave(id, subject) }
  }

  // MARK: - Decisions

  mutating func flushGroup(_ subject: Subject, now: Timestamp) {
    guard let g = groups[subject] else { return }
    guard let due = g.dueAt else { return prune(g, now: now) }
    guard due <= now else { return }
    let members = g.waiting.filter { alerts[$0].map { isTellable($0, in: g) } ?? false }.sorted()
    guard !members.isEmpty else { return }
    let settings = configurations[g.configuration] ?? .init()
    let firing = members.filter { alerts[$0]?.isResolved == false }
    var places: [AlertState.Place] = []
    if let place = g.place {
      places = [place]
    } else if let route = g.route, settings.routes.indices.contains(route), !firing.isEmpty,
      case .group(let receivers, _) = settings.routes[route].delivery
    {
      let severity = firing.compactMap { alerts[$0]?.severity }.max()
      let reach = reach(receivers, configuration: g.configuration, severity: severity, now: now)
      places = reach.places.map(\.place)
      if places.isEmpty {
        for id in firing { saysThatNobody(id, reach.unreached, cause: alerts[id]?.decisivePosition, now: now) }
      }
    }
    // Ends are told to those who heard of the beginning, whoever is on call by now.
    let ended = members.filter { alerts[$0]?.isResolved == true }
    let reached = Set(places.map(\.target))
    for place in ended.flatMap({ (g.told[$0] ?? []).map(\.place) })
    where !places.contains(where: { $0.target == place.target }) {
      places.append(place)
    }
    let cause = members.compactMap { alerts[$0]?.decisivePosition }.max()
    // Before its interval is over only what is critical is told, and where it is told.
    let regular = g.lastSentAt.map { $0 + g.interval } ?? now
    for place in places {
      let owed = ended.filter { id in g.told[id]?.contains { $0.place.target == place.target } == true }
      let mine = owed + (reached.contains(place.target) ? firing : [])
      if mine.isEmpty || regular > now && !mine.contains(where: { isUrgent($0) }) { continue }
      tell(g, mine, place, cause: cause, now: now)
    }
    if regular > now, groups[subject]?.dueAt.map({ $0 <= now }) == true { deadlines.add(.group(subject), at: regular) }
  }

  /// What the last message to this place would have said is said by this one, if nobody has begun to send that.
  private mutating func tell(
    _ g: GroupState, _ members: [AlertID], _ place: AlertState.Place, cause: Int64?, now: Timestamp
  ) {
    var all = Set(members)
    for older in ledger.about(g.subject)
    where older.place == place && older.lease == nil && !older.mayHaveArrived && older.purpose == .summary {
      all.formUnion(older.members.filter { alerts[$0] != nil })
      emit(
        .notificationCancelled(NotificationCancelled(key: older.key, reason: "a newer message takes its place")),
        about: g.subject, now: now, cause: cause)
    }
    request(
      .summary, g.subject, place, members: all.sorted(), occasion: g.place == nil ? nil : Occasion(.storm),
      cause: cause, now: now)
  }

  /// A group that nobody waits in or is owed by, and that may send again at once, is as good as none.
  private func isOver(_ g: GroupState, now: Timestamp) -> Bool {
    g.waiting.isEmpty && g.told.isEmpty && g.lastSentAt.map { $0 + g.interval <= now } ?? true
      && !ledger.owes(g.subject)
  }

  mutating func prune(_ g: GroupState, now: Timestamp) {
    guard isOver(g, now: now) else { return }
    groups[g.subject] = nil
    groupByKey[g.key] = nil
  }
}
