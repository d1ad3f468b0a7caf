import Alerts
import Foundation
import GRDB

extension SampleWarehouse {
  private static let devices: [(name: String, share: Double)] = [("desktop", 0.34), ("mobile", 0.52), ("tablet", 0.14)]
  private static let countries: [(name: String, share: Double)] = [
    ("DE", 0.38), ("FR", 0.22), ("GB", 0.18), ("AT", 0.13), ("CH", 0.09),
  ]

  /// Growth of 20 % a year, a summer that is a little quieter, a mild week, 3 % of noise shared by a day and 2 % of each row's own.
  func writeListings(_ db: Database) throws -> Int {
    var random = SeededRandom(seed: seed &+ 1)
    let insert = try db.makeStatement(sql: "INSERT INTO DD_LISTING_STATISTICS_BLENDED VALUES (?, ?, ?, ?, ?, ?)")
    var rows = 0
    for day in (endDay - SampleWarehouse.listingDays)..<endDay {
      let t = Timestamp(seconds: day * 86_400)
      let age = Double(day - (endDay - SampleWarehouse.listingDays)) / 365
      let (_, month, _) = Timestamp.civil(days: day)
      let season = 1 - 0.04 * cos(2 * .pi * (Double(month) - 1) / 12)
      let week = [1.03, 1.05, 1.04, 1.02, 0.98, 0.92, 0.96][Int(weekday(ofDay: day) - 1)]
      let level = 230_000 * (1 + 0.2 * age) * season * week * (1 + 0.03 * random.gaussian())
      for device in SampleWarehouse.devices {
        for country in SampleWarehouse.countries {
          let has = { (l: Anomaly.Label) in
            l.name == "device" ? l.value == device.name : l.name == "country" && l.value == country.name
          }
          let present = factor("listing_views", "row_count", at: t, has)
          var views = level * device.share * country.share * (1 + 0.02 * random.gaussian())
          var enquiries = views * 0.021 * (1 + 0.03 * random.gaussian())
          let listings = 48_000 * country.share * (1 + 0.1 * age)
          guard present > 0 else { continue }
          enquiries *= factor("listing_views", "enquiries", at: t, has)
          views *= factor("listing_views", "total_views", at: t, has)
          try insert.execute(arguments: [
            t.utcDate, device.name, country.name, Int64(views.rounded()), Int64(enquiries.rounded()),
            Int64(listings.rounded()),
          ])
          rows += 1
        }
      }
    }
    return rows
  }
}
