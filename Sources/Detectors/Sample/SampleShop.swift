import Alerts
import Foundation
import GRDB

extension SampleWarehouse {
  private static let categories: [(name: String, share: Double, price: Double)] = [
    ("electronics", 0.27, 89), ("home", 0.24, 47), ("clothing", 0.22, 39), ("sports", 0.15, 58), ("books", 0.12, 17),
  ]

  /// A smooth day with its peak in the evening, and counts as chance would have them.
  func writeShop(_ db: Database) throws -> Int {
    var random = SeededRandom(seed: seed &+ 2)
    let insert = try db.makeStatement(sql: "INSERT INTO shop_events VALUES (?, ?, ?, ?, ?, ?, ?)")
    var rows = 0
    let windows = SampleWarehouse.shopDays * 288
    for w in 0..<windows {
      let t = Timestamp(seconds: (endDay - SampleWarehouse.shopDays) * 86_400 + w * 300)
      let text = t.rfc3339.prefix(10) + " " + t.rfc3339.dropFirst(11).prefix(8)
      let hour = Double(w % 288) / 12
      let day = 1 + 0.22 * cos(2 * .pi * (hour - 19) / 24)
      for category in SampleWarehouse.categories {
        let has = { (l: Anomaly.Label) in l.name == "category" && l.value == category.name }
        let traffic = factor("shop", "events", at: t, has)
        let tilt = category.name == "electronics" ? 1 : factor("shop", "top_category_share", at: t, has)
        let views = random.poisson(30_000 * category.share * day * traffic)
        let carts = random.poisson(views * 0.11)
        let bought = factor("shop", "conversion_rate", at: t, has) * factor("shop", "abandonment_rate", at: t, has)
        let purchases = random.poisson(carts * 0.55 * bought * tilt)
        let spread = purchases > 0 ? random.gaussian() * 0.5 / purchases.squareRoot() : 0
        let revenue = purchases * category.price * (1 + spread) * factor("shop", "revenue", at: t, has)
        let unpriced = min(0.95, 0.01 * factor("shop", "missing_price_rate", at: t, has))
        for (kind, n, money) in [("view", views, 0), ("add_to_cart", carts, 0), ("purchase", purchases, revenue)] {
          let missing = random.poisson(n * unpriced)
          let nameless = random.poisson(n * 0.004)
          try insert.execute(arguments: [
            String(text), kind, category.name, Int64(n), (money * 100).rounded() / 100, Int64(min(n, missing)),
            Int64(min(n, nameless)),
          ])
          rows += 1
        }
      }
    }
    return rows
  }

  private static let customers: [(name: String, calls: Double, peak: Double)] = [
    ("acme", 42_000, 14), ("borealis", 18_000, 10), ("cirrus", 9500, 16), ("dunes", 27_000, 12), ("elm", 5200, 20),
    ("fjord", 61_000, 15), ("grove", 13_500, 11), ("harbour", 33_000, 18),
  ]

  /// Each customer's own hours, with quieter weekends.
  func writeUsage(_ db: Database) throws -> Int {
    var random = SeededRandom(seed: seed &+ 3)
    let insert = try db.makeStatement(sql: "INSERT INTO usage_hourly VALUES (?, ?, ?, ?, ?, ?)")
    var rows = 0
    for h in 0..<(SampleWarehouse.usageDays * 24) {
      let t = Timestamp(seconds: (endDay - SampleWarehouse.usageDays) * 86_400 + h * 3600)
      let text = t.rfc3339.prefix(10) + " " + t.rfc3339.dropFirst(11).prefix(8)
      let weekend = weekday(ofDay: t.utcDay.days) > 5 ? 0.8 : 1
      for customer in SampleWarehouse.customers {
        let has = { (l: Anomaly.Label) in l.name == "customer" && l.value == customer.name }
        var hour = Double(h % 24)
        // A shape incident turns the customer's day by twelve hours: the volume stays, the pattern does not.
        if factor("usage", "shape", at: t, has) != 1 { hour += 12 }
        let day = 1 + 0.6 * cos(2 * .pi * (hour - customer.peak) / 24)
        let noise = 1 + 0.04 * random.gaussian()
        let calls = customer.calls * day * weekend * noise
        let values = [("api_calls", 1.0), ("bandwidth", 0.021), ("storage_peak", 0.4), ("compute_time", 0.0034)].map {
          metric, scale in
          calls * scale * (1 + 0.03 * random.gaussian()) * factor("usage", metric, at: t, has)
        }
        try insert.execute(arguments: [
          String(text), customer.name, Int64(values[0].rounded()), (values[1] * 100).rounded() / 100,
          (values[2] * 100).rounded() / 100, (values[3] * 100).rounded() / 100,
        ])
        rows += 1
      }
    }
    return rows
  }
}
