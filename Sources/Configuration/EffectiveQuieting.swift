import Alerts
import Lifecycle

// What keeps people from hearing what they need not hear, as `tocsin config show` prints it.

extension LifecycleSettings {
  /// One time for all, or the rules in their order with the general one at the end.
  var staleAfterShown: JSON {
    if staleRules.isEmpty { return .text(staleAfter?.description) }
    var rules = staleRules.map(\.effective)
    if let staleAfter { rules.append(["after": .string(staleAfter.description)]) }
    return .array(rules)
  }

  var flappingShown: JSON { flapping?.effective ?? false }
  var stormsShown: JSON { storm?.effective ?? false }
  var inhibitionsShown: JSON { list(inhibitions.map(\.effective)) }
  var dependenciesShown: JSON {
    if dependencies.isEmpty { return .null }
    return .object(dependencies.map { JSON.Member($0.label, $0.effective) })
  }
  var maintenanceShown: JSON { list(maintenance.map(\.effective)) }
  var silencesShown: JSON {
    .compact([
      "warning": .string(silenceWarning.description), "notify": list(notices.map { .string($0) }),
      "longest": .string(longestSilence.description),
      "confirm_over": confirmSilenceOver.map { .int($0) } ?? .null,
    ])
  }
}

/// Nothing, where there is nothing.
private func list(_ items: [JSON]) -> JSON { items.isEmpty ? .null : .array(items) }

private func texts(_ matchers: [Matcher]) -> JSON { .array(matchers.map { .string($0.description) }) }

extension StaleRule {
  fileprivate var effective: JSON { ["match": texts(matchers), "after": .string(after?.description ?? "never")] }
}

extension FlappingRule {
  var effective: JSON {
    [
      "changes": .int(changes), "within": .string(within.description),
      "steady_after": .string(steadyAfter.description),
    ]
  }
}

extension StormRule {
  var effective: JSON {
    [
      "after": .int(after), "within": .string(within.description), "wait": .string(wait.description),
      "interval": .string(interval.description),
    ]
  }
}

extension InhibitionRule {
  var effective: JSON {
    .compact([
      "name": .string(name), "source": texts(source), "target": texts(target),
      "equal": equal.isEmpty ? .null : .array(equal.map { .string($0) }),
    ])
  }
}

extension DependencyRule {
  var effective: JSON {
    .object(parents.map { JSON.Member($0.child, .array($0.parents.map { .string($0) })) })
  }
}

extension MaintenanceWindow {
  var effective: JSON {
    .compact([
      "name": .string(name), "match": texts(matchers),
      "days": .array(weekdays.map { .string(Weekday.names[$0 - 1]) }),
      "weeks": weeks.isEmpty ? .null : .array(weeks.map { $0 == -1 ? "last" : .int($0) }),
      "at": .string(clock(minuteOfDay)), "for": .string(duration.description), "timezone": .string(timeZone),
    ])
  }
}

extension QuietHours {
  var effective: JSON {
    [
      "from": .string(clock(from)), "until": .string(clock(until)), "timezone": .string(timeZone),
      "below": .string(atLeast.name),
    ]
  }
}
