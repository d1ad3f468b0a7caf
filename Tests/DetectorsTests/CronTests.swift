import Alerts
import Testing

@testable import Detectors

@Suite struct CronTests {
  private func zone(_ name: String) throws -> Zone { try #require(Zone(name: name)) }
  private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

  @Test(arguments: [
    ("0 6 * * *", "UTC", "2026-03-01T06:00:00Z", "2026-03-02T06:00:00Z"),
    ("0 6 * * *", "UTC", "2026-03-01T05:59:59Z", "2026-03-01T06:00:00Z"),
    ("*/15 * * * *", "UTC", "2026-03-01T05:59:59Z", "2026-03-01T06:00:00Z"),
    ("*/15 9-17 * * mon-fri", "UTC", "2026-03-06T17:45:00Z", "2026-03-09T09:00:00Z"),
    ("0 0 1 JAN *", "UTC", "2026-03-06T17:45:00Z", "2027-01-01T00:00:00Z"),
    ("0 0 29 2 *", "UTC", "2026-03-06T17:45:00Z", "2028-02-29T00:00:00Z"),
    ("30 4 1,15 * 5", "UTC", "2026-05-01T04:30:00Z", "2026-05-08T04:30:00Z"),
    ("0 0 * * 7", "UTC", "2026-03-06T00:00:00Z", "2026-03-08T00:00:00Z"),
    ("5/20 * * * ?", "UTC", "2026-03-06T00:05:00Z", "2026-03-06T00:25:00Z"),
    ("@daily", "UTC", "2026-03-06T00:05:00Z", "2026-03-07T00:00:00Z"),
    // Berlin, 29 March 2026: 02:00 to 03:00 does not exist.
    ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
    ("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"),
    ("0,15,30,45 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"),
    ("0 6 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T04:00:00Z"),
    ("30 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
    // Berlin, 25 October 2026: 02:00 to 03:00 comes twice.
    ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
    ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
    ("30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
    ("0 0 * * *", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
    // Lord Howe Island moves by half an hour; Kathmandu lies at 5:45.
    ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z"),
    ("0 0 * * *", "Asia/Kathmandu", "2026-03-01T00:00:00Z", "2026-03-01T18:15:00Z"),
  ])
  func next(_ text: String, _ zoneName: String, _ after: String, _ expected: String) throws {
    let cron = try Cron(text, zone: zone(zoneName))
    #expect(try cron.next(after: time(after)) == time(expected))
  }

  @Test func `a day with a gap or a doubled hour still has one fire a day`() throws {
    let cron = try Cron("30 2 * * *", zone: zone("Europe/Berlin"))
    for start in ["2026-03-20T00:00:00Z", "2026-10-20T00:00:00Z"] {
      var t = try time(start)
      var fires = 0
      let end = t + .days(14)
      while let next = cron.next(after: t), next < end {
        fires += 1
        t = next
      }
      #expect(fires == 14)
    }
  }

  @Test func `last and next meet`() throws {
    let cron = try Cron("0 6 * * 1-5", zone: zone("America/New_York"))
    var t = try time("2026-01-01T00:00:00Z")
    for _ in 0..<300 {
      let next = try #require(cron.next(after: t))
      #expect(cron.last(atOrBefore: next) == next)
      #expect(cron.last(atOrBefore: next + .hours(1)) == next)
      t = next
    }
  }

  @Test(arguments: [
    ("0 6 * *", 1, "five fields"), ("61 * * * *", 1, "minute"), ("0 25 * * *", 3, "hour"),
    ("0 6 * * mun", 9, "day of week"),
    ("*/0 * * * *", 1, "step"), ("0 6 30 2 *", 5, "never"), ("5-1 * * * *", 1, "backwards"), ("", 1, "five fields"),
    ("0 1,x * * *", 5, "hour"),
  ])
  func faults(_ text: String, _ column: Int, _ word: String) {
    let error = #expect(throws: CronError.self) { try Cron(text, zone: .utc) }
    #expect(error?.column == column)
    #expect(error?.message.contains(word) == true)
  }

  @Test func `intervals are aligned, so that every worker agrees`() throws {
    let every = Schedule.every(.minutes(5))
    #expect(every.next(after: try time("2026-01-01T00:02:00Z")) == (try time("2026-01-01T00:05:00Z")))
    #expect(every.next(after: try time("2026-01-01T00:05:00Z")) == (try time("2026-01-01T00:10:00Z")))
    #expect(every.last(atOrBefore: try time("2026-01-01T00:09:59Z")) == (try time("2026-01-01T00:05:00Z")))
  }
}

@Suite struct WindowCalendarTests {
  private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

  @Test(arguments: [
    (Bucket.day, "UTC", "2026-11-20T13:00:00Z", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", "2026-11-21"),
    (.week, "UTC", "2026-11-20T13:00:00Z", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-23"),
    (.hour, "UTC", "2026-11-20T13:59:59Z", "2026-11-20T13:00:00Z", "2026-11-20T14:00:00Z", "2026-11-20T14:00:00Z"),
    (
      .step(.minutes(5)), "UTC", "2026-11-20T13:04:59Z", "2026-11-20T13:00:00Z", "2026-11-20T13:05:00Z",
      "2026-11-20T13:05:00Z"
    ),
    // 23 and 25 hours.
    (.day, "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-30"),
    (.day, "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-10-26"),
  ])
  func windows(_ bucket: Bucket, _ zone: String, _ at: String, _ start: String, _ end: String, _ name: String) throws {
    let calendar = WindowCalendar(bucket, zone: try #require(Zone(name: zone)))
    let window = calendar.window(at: try time(at))
    #expect(window == Anomaly.Window(start: try time(start), end: try time(end)))
    #expect(calendar.name(window) == name)
  }

  @Test func `only whole windows of a range count`() throws {
    let calendar = WindowCalendar(.day, zone: .utc)
    let windows = calendar.windows(from: try time("2026-11-01T06:00:00Z"), to: try time("2026-11-04T06:00:00Z"))
    #expect(windows.map(\.start.utcDate) == ["2026-11-02", "2026-11-03"])
    #expect(calendar.windows(from: try time("2026-11-04T00:00:00Z"), to: try time("2026-11-04T06:00:00Z")).isEmpty)
  }
}
