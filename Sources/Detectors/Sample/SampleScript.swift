import Alerts

/// What goes wrong in the sample warehouse, and when: fixed places counted back from its end, moved a little by the seed.
enum SampleScript {
  static func incidents(endDay: Int64, seed: UInt64) -> [SampleIncident] {
    var random = SeededRandom(seed: seed &+ 4)
    var out: [SampleIncident] = []
    func instant(_ day: Int64, _ minutes: Int64 = 0) -> Timestamp { Timestamp(seconds: day * 86_400 + minutes * 60) }
    func listing(_ back: Int64, _ metric: String, _ device: String?, days: Int64 = 1, _ factor: Double, _ story: String)
    {
      let day = endDay - back - Int64(random.next() % 3)
      add(
        "listing_views", metric, device.map { [.init("device", $0)] } ?? [], instant(day), instant(day + days), factor,
        story)
    }
    func add(
      _ event: String, _ metric: String, _ dimensions: [Anomaly.Label], _ start: Timestamp, _ end: Timestamp,
      _ factor: Double, _ story: String
    ) {
      let number = out.count + 1
      out.append(
        SampleIncident(
          id: "I-\(number < 10 ? "0" : "")\(number)", event, metric, dimensions, start, end, factor, story))
    }
    listing(330, "total_views", "mobile", 0.28, "the app's release lost its tracking for a day")
    listing(291, "total_views", "desktop", 2.2, "a crawler walked the whole catalogue")
    listing(252, "row_count", nil, 0, "the nightly load did not run")
    listing(215, "total_views", "tablet", days: 2, 0.4, "tablet pages failed on one browser")
    listing(171, "total_views", nil, 0.25, "an outage of most of a day")
    listing(128, "total_views", "mobile", 1.75, "bot traffic from phone farms")
    listing(90, "row_count", "tablet", 0, "tablet rows were filtered out by a new rule upstream")
    listing(52, "total_views", "desktop", 0.45, "a consent banner stopped the counting")
    listing(19, "total_views", "mobile", 1.9, "two crawlers at once")
    // Two days, so that it is found before the hour of the daily check as well as after it.
    add(
      "listing_views", "total_views", [.init("device", "mobile")], instant(endDay - 2), instant(endDay), 0.13,
      "the app's views are not counted since its update")
    // A whole week, from a Monday, because enquiries are checked by the week.
    let monday = endDay - 63 - (weekday(ofDay: endDay - 63) - 1)
    add(
      "listing_views", "enquiries", [], instant(monday), instant(monday + 7), 0.4,
      "the enquiry form lost most submissions")

    func shop(
      _ back: Int64, _ minute: Int64, _ metric: String, _ category: String? = nil, minutes: Int64, _ factor: Double,
      _ story: String
    ) {
      let start = minute + Int64(random.next() % 12) * 5
      let day = endDay - back
      add(
        "shop", metric, category.map { [.init("category", $0)] } ?? [], instant(day, start),
        instant(day, start + minutes),
        factor, story)
    }
    shop(11, 840, "revenue", minutes: 25, 0.13, "the payment provider charged nothing")
    shop(10, 600, "events", minutes: 10, 2.4, "a bot attack")
    shop(9, 1020, "events", minutes: 15, 0.2, "the tracking endpoint failed")
    shop(8, 720, "abandonment_rate", minutes: 20, 0.3, "the checkout button did nothing on one browser")
    shop(6, 540, "conversion_rate", minutes: 30, 0.06, "no order could be placed")
    shop(5, 900, "missing_price_rate", minutes: 20, 32, "the catalogue feed came without prices")
    shop(
      3, 660, "top_category_share", minutes: 20, 0.1,
      "only electronics could be bought")
    shop(1, 1140, "revenue", minutes: 15, 0.45, "a discount code applied twice")

    func usage(
      _ back: Int64, _ customer: String, _ metric: String, hour: Int64, hours: Int64, _ factor: Double, _ story: String
    ) {
      add(
        "usage", metric, [.init("customer", customer)], instant(endDay - back, hour * 60),
        instant(endDay - back, (hour + hours) * 60), factor, story)
    }
    usage(8, "cirrus", "api_calls", hour: 9, hours: 4, 6, "a retry loop without a limit")
    usage(4, "fjord", "bandwidth", hour: 13, hours: 3, 5, "somebody downloads everything")
    usage(2, "borealis", "shape", hour: 0, hours: 24, 2, "the customer's jobs run at the wrong half of the day")
    return out
  }
}
