import Alerts

extension Engine {
  /// Where a message to some receivers goes at this moment.
  struct Reach {
    var places: [(place: AlertState.Place, insteadOf: String?)] = []
    /// Receivers that the rules name, and by which nobody could be reached. Their fallbacks are among the places, where there are any.
    var unreached: [String] = []
  }

  /// Finds the places of receivers: their own, and those of whoever is on call when the message may go. A receiver that reaches nobody gives way to its fallback,
  /// and that to its own.
  ///
  /// - Parameter severity: of what is told: quiet hours may hold it back until somebody else is on call.
  func reach(_ receivers: [String], configuration: Int, severity: Severity? = nil, now: Timestamp) -> Reach {
    guard let settings = configurations[configuration] else { return Reach() }
    var reach = Reach()
    for name in receivers {
      var line = [name]
      var targets = self.targets(of: name, in: settings, severity, now: now)
      while targets.isEmpty, let next = line.last.flatMap({ settings.receiver($0)?.fallback }), !line.contains(next) {
        line.append(next)
        targets = self.targets(of: next, in: settings, severity, now: now)
      }
      if line.count > 1 || targets.isEmpty { reach.unreached.append(name) }
      for target in targets where !reach.places.contains(where: { $0.place.target == target }) {
        // The same address by way of two receivers is told once.
        reach.places.append(
          (AlertState.Place(receiver: line.last ?? name, target: target), line.count > 1 ? name : nil))
      }
    }
    return reach
  }

  func places(of receivers: [String], configuration: Int, now: Timestamp) -> [AlertState.Place] {
    reach(receivers, configuration: configuration, now: now).places.map(\.place)
  }

  private func targets(
    of name: String, in frozen: LifecycleSettings, _ severity: Severity?, now: Timestamp
  ) -> [Receiver.Target] {
    guard let receiver = frozen.receiver(name) else { return [] }
    guard let schedule = receiver.schedule else { return receiver.targets }
    // Who is on call is asked of the settings in force: somebody may have fallen ill since the alert opened.
    let onCall = settings.onCall.schedule(schedule) != nil ? settings.onCall : frozen.onCall
    let held = severity.flatMap { severity in
      receiver.quiet.flatMap { severity < $0.atLeast ? $0.end(at: now) : nil }
    }
    let person = onCall.onCall(schedule, at: max(now, held ?? now))
    return receiver.targets + (person?.targets ?? []).filter { !receiver.targets.contains($0) }
  }
}
