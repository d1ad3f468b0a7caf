import Alerts

/// Whoever may see some tenants only may silence those only: a matcher on the tenant is added to what they ask for. And they see and end no silence
/// but those that are limited so.
enum SilenceScope {
  static func limited(_ matchers: [Matcher], _ identity: Identity) -> [Matcher] {
    guard let tenants = identity.tenants else { return matchers }
    return sees(matchers, identity) ? matchers : matchers + [matcher(tenants)]
  }

  static func sees(_ matchers: [Matcher], _ identity: Identity) -> Bool {
    guard let tenants = identity.tenants else { return true }
    return matchers.contains { m in
      m == matcher(tenants) || (m.name == "tenant" && m.isEqual && !m.isRegex && tenants.contains(m.value))
    }
  }

  private static func matcher(_ tenants: [String]) -> Matcher {
    if tenants.count == 1, let only = tenants.first { return Matcher(name: "tenant", value: only) }
    let pattern = tenants.sorted().map { tenant in
      tenant.map { "\\.^$*+?{}[]()|".contains($0) ? "\\\($0)" : String($0) }.joined()
    }
    // Without any tenant nothing matches: an empty alternative would match what has none, and every anomaly has one.
    return Matcher(name: "tenant", value: pattern.joined(separator: "|"), isRegex: true)
  }
}
