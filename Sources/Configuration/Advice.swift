package import Alerts
import Lifecycle
import Projections

/// What is not wrong in a configuration, and still is hardly what somebody meant.
extension Configuration {
  package var advice: [Fault] {
    var found: [Fault] = []
    func say(_ key: String, _ message: String, _ mend: String) {
      found.append(Fault(nil, key: key, message, mend: mend))
    }
    let settings = lifecycle
    if let all = settings.routes.firstIndex(where: { $0.matchers.isEmpty && !$0.continues }),
      all + 1 < settings.routes.count
    {
      let count = settings.routes.count - all - 1
      say(
        "routes[\(all)]",
        "takes every alert, so \(count == 1 ? "the route" : "the \(count) routes") behind it never counts",
        "move it to the end, or give it a match:")
    }
    if settings.routes.isEmpty {
      say("routes", "there is none, so nobody is told of anything", "add at least {match: {severity: critical}, …}")
    } else if !settings.routes.contains(where: { $0.delivery != .dashboardOnly }) {
      say("routes", "none of them tells anybody", "give one a policy: or notify:")
    }
    var named = Set(settings.notices)
    for policy in settings.policies { for step in policy.steps { named.formUnion(step.receivers) } }
    for receiver in settings.receivers { if let fallback = receiver.fallback { named.insert(fallback) } }
    for digest in digests { named.formUnion(digest.to) }
    for route in settings.routes {
      switch route.delivery {
      case .notify(let names), .group(let names, _): named.formUnion(names)
      case .policy, .dashboardOnly: break
      }
    }
    for receiver in settings.receivers where !named.contains(receiver.name) {
      say("receivers.\(receiver.name)", "nobody names it, so it is never told", "name it in a route, or remove it")
    }
    for policy in settings.policies
    where !settings.routes.contains(where: { $0.delivery == .policy(policy.name) }) {
      say("policies.\(policy.name)", "no route takes it", "name it in a route, or remove it")
    }
    for window in settings.maintenance where window.matchers.isEmpty {
      say("maintenance", "the window \(window.name) silences every alert", "give it a match: that says which")
    }
    return found
  }
}
