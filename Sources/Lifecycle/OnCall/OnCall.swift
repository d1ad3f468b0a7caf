package import Alerts

/// Who is on call, and when that changes. Pure: the time is an argument.
extension OnCallSchedule {
  package enum Origin: Sendable, Hashable {
    /// By its place in ``layers``.
    case layer(Int)
    /// By its place in ``overrides``.
    case override(Int)
  }

  /// A time in which one person is on call, or nobody.
  package struct Shift: Sendable, Equatable {
    package var person: String?
    package var origin: Origin?
    package var from: Timestamp
    package var until: Timestamp
  }

  /// At most so many shifts are listed: fifteen-minute turns for five months.
  package static let shiftLimit = 20_000

  /// Who is on call at an instant, and the next instant at which that may change; nil: never.
  package func turn(at t: Timestamp) -> (person: String?, origin: Origin?, until: Timestamp?) {
    var until: Timestamp?
    func edge(_ e: Timestamp?) { if let e, e > t { until = min(until ?? e, e) } }
    var found: (String, Origin)?
    for (i, o) in overrides.enumerated().reversed() {
      edge(o.from)
      edge(o.until)
      if found == nil, o.from <= t, t < o.until { found = (o.person, .override(i)) }
    }
    for (i, layer) in layers.enumerated().reversed() {
      let (person, end) = turn(of: layer, at: t)
      edge(end)
      if found == nil, let person { found = (person, .layer(i)) }
    }
    return (found?.0, found?.1, until)
  }

  private func turn(of layer: Layer, at t: Timestamp) -> (person: String?, until: Timestamp?) {
    var (person, until): (String?, Timestamp?)
    switch layer.turns {
    case .rotation(let rotation): (person, until) = rotation.turn(at: t, in: LocalZone(timeZone) ?? .utc)
    case .calendar(let events): (person, until) = CalendarEvent.turn(of: events, at: t)
    }
    for window in layer.windows { until = [until, window.nextEdge(after: t)].compactMap { $0 }.min() }
    if !layer.windows.isEmpty, !layer.windows.contains(where: { $0.contains(t) }) { person = nil }
    return (person, until)
  }

  package func person(at t: Timestamp) -> String? { turn(at: t).person }

  /// The shifts from `from` to `to`, cut at both: each begins where the one before ends, and two that follow one another differ. Times in which nobody is on call are
  /// among them. Ends early after ``shiftLimit``.
  package func shifts(from: Timestamp, to: Timestamp) -> [Shift] {
    var shifts: [Shift] = []
    var t = from
    while t < to, shifts.count < OnCallSchedule.shiftLimit {
      let now = turn(at: t)
      let end = min(now.until ?? to, to)
      if let last = shifts.last, last.person == now.person, last.origin == now.origin {
        shifts[shifts.count - 1].until = end
      } else {
        shifts.append(Shift(person: now.person, origin: now.origin, from: t, until: end))
      }
      t = end
    }
    return shifts
  }

  /// How far back the beginning of a shift is looked for, and how far ahead the next one.
  private static let reach = (back: Interval.days(35), ahead: Interval.days(92))

  /// The time around `t` in which the same person is on call, by whatever layers, and the one after it, which is somebody else's; nil where none comes within
  /// three months. The origin is that of `t`.
  package func current(at t: Timestamp) -> (shift: Shift, next: Shift?) {
    let all = shifts(from: t - OnCallSchedule.reach.back, to: t + OnCallSchedule.reach.ahead)
    let around = all.reduce(into: [Shift]()) { merged, shift in
      if let last = merged.last, last.person == shift.person {
        merged[merged.count - 1].until = shift.until
        if shift.from <= t { merged[merged.count - 1].origin = shift.origin }
      } else {
        merged.append(shift)
      }
    }
    guard let i = around.firstIndex(where: { $0.from <= t && t < $0.until }) else {
      return (Shift(person: person(at: t), origin: nil, from: t, until: t), nil)
    }
    return (around[i], around.indices.contains(i + 1) ? around[i + 1] : nil)
  }

  /// Everybody who may ever be on call, in the order in which they are first named.
  package var people: [String] {
    (layers.flatMap(\.people) + overrides.map(\.person)).reduce(into: []) { all, one in
      if !all.contains(one) { all.append(one) }
    }
  }
}

extension OnCallSettings {
  /// Who is on call for a schedule; nil for nobody, or a schedule that there is not.
  package func onCall(_ schedule: String, at t: Timestamp) -> Person? {
    self.schedule(schedule)?.person(at: t).flatMap { person($0) }
  }
}
