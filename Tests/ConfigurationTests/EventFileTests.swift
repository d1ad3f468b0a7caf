import Alerts
import Detectors
import Lifecycle
import Projections
import Testing
import TocsinConfiguration

@Suite struct EventFileTests {
  static let main = """
    connections: {warehouse: {kind: sqlite, path: w.sqlite}, other: {kind: csv, path: x.csv}}
    channels: {outbox: {directory: outbox}}
    receivers: {all: {email: all@company.com}}
    routes: [{notify: [all]}]
    """

  /// The full spelling, as a data team would have it in its repository already: no connection, no schedule.
  static let full = """
    # configs/events/listing_views.yaml
    event_config:
      name: "listing_views"
      description: "Property listing page views"

      data_source:
        table: "DATAMART.DD_LISTING_STATISTICS_BLENDED"
        date_column: "STATISTIC_DATE"
        metrics:
          - column: "NUMBEROFVIEWS"
            alias: "total_views"
          - column: "NUMBEROFENQUIRIES"
            alias: "enquiries"

      detection:
        daily_checks:
          - detector: "threshold"
            metric: "total_views"
            min_value: 10000
            max_value: 1000000

          - detector: "percentage_change"
            metric: "total_views"
            lookback_days: 7
            threshold: 0.3

        weekly_checks:
          - detector: "statistical"
            metric: "enquiries"
            method: "zscore"
            threshold: 3.0

      alerting:
        critical:
          condition: "deviation > 0.5"
          recipients:
            email: ["director-bi@company.com"]

        high:
          condition: "deviation > 0.3"
          recipients:
            email: ["data-team@company.com"]
            slack: ["#data-alerts"]

        warning:
          condition: "deviation > 0.2"
          dashboard_only: true
    """

  static let short = """
    event_type: "listing_views"
    source_table: "DATAMART.DD_LISTING_STATISTICS_BLENDED"
    metrics:
      - name: "NUMBEROFVIEWS"
        detection_rules:
          - type: "threshold"
            min: 1000
            max: 1000000
          - type: "percentage_change"
            threshold: 0.5
    reporting_frequency: "daily"  # Data updates daily
    alert_frequency: "weekly"     # Stakeholders prefer weekly summaries
    stakeholders:
      critical:
        - email: "director-bi@company.com"
      high:
        - email: "data-team@company.com"
        - slack: "#data-alerts"
    """

  @Test func readsTheFullSpelling() throws {
    let c = try ConfigurationFixture(EventFileTests.main, metrics: ["a.yaml": EventFileTests.full]).load()
    let event = try #require(c.detection.events.first)
    #expect(event.name == "listing_views")
    #expect(event.source.connection == "warehouse")
    #expect(event.source.dateColumn == "STATISTIC_DATE")
    #expect(event.source.metrics.map(\.alias) == ["total_views", "enquiries"])
    #expect(event.schedule == .cron("0 6 * * *", zone: nil))
    #expect(
      event.checks.map(\.name) == [
        "listing_views/total_views/threshold", "listing_views/total_views/percentage_change",
        "listing_views/enquiries/statistical",
      ])
    #expect(event.checks.map(\.period) == [.daily, .daily, .weekly])
    #expect(event.checks[0].parameters["min_value"]?.value == 10000)
    #expect(event.checks[0].parameters["min_value"]?.place?.line == 19)
    #expect(event.checks[2].parameters["threshold"]?.value == 3.0)
    #expect(event.severities.map(\.severity) == [.critical, .high, .medium])
    #expect(event.severities[0].condition == "deviation > 0.5")
  }

  @Test func makesRoutesOfItsRecipientsBeforeTheGeneralOnes() throws {
    let c = try ConfigurationFixture(EventFileTests.main, metrics: ["a.yaml": EventFileTests.full]).load()
    #expect(
      c.lifecycle.routes.map(\.delivery) == [
        .notify(["listing_views/critical"]), .group(["listing_views/high"], .init(by: ["event_type"])), .dashboardOnly,
        .notify(["all"]),
      ])
    #expect(
      c.lifecycle.routes[2].matchers == [
        Matcher(name: "event_type", value: "listing_views"), Matcher(name: "severity", value: "medium"),
      ])
    #expect(
      c.lifecycle.receiver("listing_views/high")?.targets == [
        .init(channel: "email", destination: "data-team@company.com"),
        .init(channel: "slack", destination: "#data-alerts"),
      ])
  }

  @Test func readsTheShortSpelling() throws {
    let c = try ConfigurationFixture(EventFileTests.main, metrics: ["a.yaml": EventFileTests.short]).load()
    let event = try #require(c.detection.events.first)
    #expect(event.source.table == "DATAMART.DD_LISTING_STATISTICS_BLENDED")
    #expect(event.source.metrics == [.init(column: "NUMBEROFVIEWS", alias: "NUMBEROFVIEWS")])
    #expect(event.checks.map(\.detector) == ["threshold", "percentage_change"])
    #expect(event.checks[0].parameters["min_value"]?.value == 1000)
    #expect(event.checks[0].parameters["max_value"]?.value == 1_000_000)
    #expect(event.severities.count == 3)
    #expect(
      c.lifecycle.routes.map(\.delivery) == [
        .notify(["listing_views/critical"]), .group(["listing_views/high"], .init(by: ["event_type"])), .dashboardOnly,
        .dashboardOnly, .notify(["all"]),
      ])
    #expect(c.digests.map(\.to) == [["listing_views/critical", "listing_views/high"]])
    #expect(c.digests.map(\.period) == [.weekly])
  }

  static let schedules: [(String, ScheduleText?)] = [
    ("schedule: \"*/5 * * * *\"", .cron("*/5 * * * *", zone: nil)),
    ("schedule: every 10s", .every(.seconds(10))),
    ("schedule: {every: 1h30m}", .every(.minutes(90))),
    ("schedule: {cron: \"0 6 * * *\", timezone: Europe/Berlin}", .cron("0 6 * * *", zone: "Europe/Berlin")),
    ("every: 5s", .every(.seconds(5))),
    ("schedule: \"* *\"", nil),
    ("schedule: every now", nil),
    ("every: 10ms", nil),
    ("{}", nil),
  ]

  @Test(arguments: schedules.indices) func readsWhenItIsDue(_ i: Int) throws {
    let (line, wanted) = EventFileTests.schedules[i]
    let event = "event_config:\n  name: e\n  data_source: {connection: other}\n  \(line)\n"
    let fixture = try ConfigurationFixture(EventFileTests.main, metrics: ["e.yaml": event])
    if let wanted {
      #expect(try fixture.load().detection.events[0].schedule == wanted)
    } else {
      #expect(fixture.faults().count == 1)
    }
  }

  static let faults: [(String, [String])] = [
    ("checks: []\n", ["metrics/e.yaml:1:1 : describes no event"]),
    ("event_config: {data_source: {connection: other}}\n", ["metrics/e.yaml:1:1 event_config: \"name\" is missing"]),
    (
      "event_config: {name: e, data_source: {connection: warehose}}\n",
      ["metrics/e.yaml:1:51 event_config.data_source.connection: there is no connection \"warehose\""]
    ),
    (
      "event_config:\n  name: e\n  data_source: {metrics: [{column: A, alias: views}]}\n  detection:\n    daily_checks:\n      - {detector: threshold, metric: view, min_value: 1}\n",
      ["metrics/e.yaml:6:39 event_config.detection.daily_checks[0].metric: the data source has no metric \"view\""]
    ),
    (
      "event_config:\n  name: e\n  data_source: {}\n  alerting:\n    critcal: {condition: \"deviation > 1\"}\n    high: {recipients: {email: [x@y.z]}}\n",
      [
        "metrics/e.yaml:5:5 event_config.alerting.critcal: \"critcal\" is no severity",
        "metrics/e.yaml:6:5 event_config.alerting.high: \"condition\" is missing",
      ]
    ),
  ]

  @Test(arguments: faults.indices) func namesWhatIsWrong(_ i: Int) throws {
    let (event, faults) = EventFileTests.faults[i]
    #expect(try ConfigurationFixture(EventFileTests.main, metrics: ["e.yaml": event]).faults() == faults)
  }

  @Test func refusesTwoEventsOfOneName() throws {
    let fixture = try ConfigurationFixture(
      EventFileTests.main, metrics: ["a.yaml": EventFileTests.full, "b.yaml": EventFileTests.short])
    #expect(fixture.faults() == ["metrics/b.yaml:1:1 name: there is an event type \"listing_views\" already"])
  }

  @Test func needsAConnectionWhereThereAreSeveral() throws {
    let main = "connections: {a: {kind: csv}, b: {kind: csv}}\n"
    let fixture = try ConfigurationFixture(
      main, metrics: ["e.yaml": "event_config: {name: e, data_source: {table: t}}\n"])
    #expect(
      fixture.faults() == [
        "metrics/e.yaml:1:25 event_config.data_source: names no connection, and tocsin.yaml has several"
      ])
  }
}
