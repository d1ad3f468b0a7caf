package import Alerts

/// Which route an alert takes, and why.
package enum Routing {
  /// The first route that matches, and the ones before it that matched and said `continue`.
  package static func choose(
    _ label: (String) -> String?, settings: LifecycleSettings, configuration: Int
  ) -> RouteTaken {
    let found = find(label, settings.routes)
    if let index = found.index {
      return choice(index, settings.routes[index], label, also: found.also, configuration)
    }
    // Only routes with `continue` matched: the last of them is the one that counts.
    var also = found.also
    if let last = also.popLast() { return choice(last, settings.routes[last], label, also: also, configuration) }
    return RouteTaken(configuration: configuration, index: nil, match: "no route matched", dashboardOnly: true)
  }

  /// The places of the route that counts, and of those before it that say `continue`.
  static func find(_ label: (String) -> String?, _ routes: [Route]) -> (index: Int?, also: [Int]) {
    var also: [Int] = []
    for i in routes.indices where routes[i].matchers.allSatisfy({ $0.matches(label) }) {
      guard routes[i].continues, i + 1 < routes.count else { return (i, also) }
      also.append(i)
    }
    return (nil, also)
  }

  private static func choice(
    _ index: Int, _ route: Route, _ label: (String) -> String?, also: [Int], _ configuration: Int
  ) -> RouteTaken {
    var taken = RouteTaken(configuration: configuration, index: index, match: describe(route.matchers), also: also)
    switch route.delivery {
    case .policy(let name): taken.policy = name
    case .notify: break
    case .dashboardOnly: taken.dashboardOnly = true
    case .group(_, let grouping):
      taken.groupKey = Engine.groupKey(configuration, index, grouping, label)
    }
    return taken
  }

  package static func describe(_ matchers: [Matcher]) -> String {
    matchers.isEmpty ? "everything" : matchers.map(\.description).joined(separator: ", ")
  }

  /// Whom a route tells at once: its receivers, or those of its policy's first step. A further route's policy has no second step: an alert
  /// escalates by one policy. Groups are told in their own time.
  package static func notified(by index: Int, in settings: LifecycleSettings) -> [String] {
    guard settings.routes.indices.contains(index) else { return [] }
    switch settings.routes[index].delivery {
    case .notify(let receivers): return receivers
    case .policy(let name): return settings.policy(name)?.steps.first?.receivers ?? []
    case .group, .dashboardOnly: return []
    }
  }
}
