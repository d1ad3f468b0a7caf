import Alerts
import Projections

/// `digests: [{period: weekly, day: monday, at: "08:00", to: [director-bi]}]`
enum DigestSection {
  static func read(_ field: Field?, timeZone: String) -> [DigestSettings] {
    (field?.list() ?? []).compactMap { item in
      guard let section = item.section() else { return nil }
      let period = section.need("period", "daily, weekly or monthly")?.choice(DigestSettings.Period.self)
      var digest = DigestSettings(period: period ?? .weekly, timeZone: timeZone, to: [])
      if let day = section.take("day") {
        switch period {
        case .monthly: digest.dayOfMonth = day.int(1...28) ?? 1
        case .weekly: digest.weekday = day.weekday() ?? 1
        case .daily: day.fault("a daily digest has no day", mend: "remove day:")
        case nil: break
        }
      }
      digest.minuteOfDay = section.take("at")?.timeOfDay() ?? digest.minuteOfDay
      digest.timeZone = section.take("timezone")?.timeZone() ?? timeZone
      if let to = section.need("to", "a list of receivers") {
        digest.to = to.names(.receiver)
        if to.isList, to.items().isEmpty { to.fault("names no receiver", mend: "name at least one") }
      }
      digest.tenant = section.take("tenant")?.text()
      section.finish()
      return period == nil ? nil : digest
    }
  }
}
