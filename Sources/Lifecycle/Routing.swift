package import Alerts

/// Which route an alert takes, and why.
package enum Routing {
  package struct Choice: Sendable, Equatable {
    package var taken: RouteTaken
    /// The labels' values that make its group, if it is told in groups.
    package var grouping: Route.Grouping?
  }

  /// The first route that matches, and the ones before it that matched and said `continue`.
  package static func choose(
    _ label: (String) -> String?, settings: LifecycleSettings, configuration: Int
  ) -> Choice {
    var also: [Int] = []
    for (i, route) in settings.routes.enumerated() where route.matchers.allSatisfy({ $0.matches(label) }) {
      if route.continues, i + 1 < settings.routes.count {
        also.append(i)
        continue
      }
      return choice(i, route, label, also: also, configuration)
    }
    // Only routes with `continue` matched: the last of them is the one that counts.
    if let last = also.popLast() { return choice(last, settings.routes[last], label, also: also, configuration) }
    return Choice(
      taken: RouteTaken(configuration: configuration, index: nil, match: "no route matched", dashboardOnly: true))
  }

  private static func choice(
    _ index: Int, _ route: Route, _ label: (String) -> String?, also: [Int], _ configuration: Int
  ) -> Choice {
    var taken = RouteTaken(configuration: configuration, index: index, match: describe(route.matchers), also: also)
    switch route.delivery {
    case .policy(let name): taken.policy = name
    case .notify: break
    case .dashboardOnly: taken.dashboardOnly = true
    case .group(_, let grouping):
      taken.groupKey = (["\(index)"] + grouping.by.map { "\($0)=\(label($0) ?? "")" }).joined(separator: "|")
      return Choice(taken: taken, grouping: grouping)
    }
    return Choice(taken: taken)
  }

  package static func describe(_ matchers: [Matcher]) -> String {
    matchers.isEmpty ? "everything" : matchers.map(\.description).joined(separator: ", ")
  }

  /// The policy of a route that tells without a policy: one step, at once, never repeated.
  package static func policy(of taken: RouteTaken, in settings: LifecycleSettings) -> Policy? {
    if let name = taken.policy { return settings.policy(name) }
    return nil
  }

  /// Whom a route tells at once without a policy.
  package static func notified(by index: Int, in settings: LifecycleSettings) -> [String] {
    guard settings.routes.indices.contains(index), case .notify(let receivers) = settings.routes[index].delivery else {
      return []
    }
    return receivers
  }
}
