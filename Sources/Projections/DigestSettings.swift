/// `digests: [{period: weekly, day: monday, at: "08:00", to: [director-bi]}]`
package struct DigestSettings: Sendable, Equatable {
  package enum Period: String, Sendable, CaseIterable { case daily, weekly, monthly }
  package var period: Period
  /// 1 (Monday) to 7, for a weekly one.
  package var weekday: Int
  /// 1 to 28, for a monthly one.
  package var dayOfMonth: Int
  /// Minutes after local midnight.
  package var minuteOfDay: Int
  /// IANA name.
  package var timeZone: String
  /// Receivers' names.
  package var to: [String]
  /// Nil: all tenants.
  package var tenant: String?

  package init(
    period: Period, weekday: Int = 1, dayOfMonth: Int = 1, minuteOfDay: Int = 480, timeZone: String = "UTC",
    to: [String], tenant: String? = nil
  ) {
    self.period = period
    self.weekday = weekday
    self.dayOfMonth = dayOfMonth
    self.minuteOfDay = minuteOfDay
    self.timeZone = timeZone
    self.to = to
    self.tenant = tenant
  }
}
