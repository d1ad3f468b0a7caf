import Alerts
import ArgumentParser
import Detectors
import Foundation
import TocsinConfiguration

/// `tocsin check METRIC`: is it unusual now? Publishes and remembers nothing.
struct CheckVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Looks at one metric now, and says whether it is unusual.",
    discussion: """
      Compares the newest whole window (or --start to --end) with those of the days before it, and says what each configured check thinks of it.
      Nothing is published, and nothing remembered. Exits 0 where it is normal, 2 where it is not.
      """)

  @OptionGroup var folder: ConfigVerb.Folder
  @Argument(help: "The metric's name, as in config/metrics.") var metric: String
  @ArgumentParser.Option(help: "Its event type, where several have such a metric.") var event: String?
  @ArgumentParser.Option(
    name: [.customShort("d"), .customLong("dimension")], help: "Only this series, such as device=mobile; repeatable.")
  var dimensions: [String] = []
  @ArgumentParser.Option(help: "The window's begin, RFC 3339.") var start: String?
  @ArgumentParser.Option(help: "The window's end.") var end: String?
  @ArgumentParser.Option(help: "Days that it is compared with.") var baselineDays = 30.0
  @ArgumentParser.Option(help: "Standard deviations that are too many.") var threshold = 3.0
  @Flag(help: "Print one JSON document.") var json = false

  func run() async throws {
    var question = OnDemandCheck.Question(metric: metric)
    question.event = event
    question.dimensions = try dimensions.map { text in
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw ValidationError("--dimension takes NAME=VALUE, not \"\(text)\"") }
      return Anomaly.Label(parts[0], parts[1])
    }
    do throws(OnDemandCheck.Refusal) {
      question.window = try OnDemandQuestion.window(start, end, now: wallClock())
      question.baselineDays = try OnDemandQuestion.days(baselineDays)
      question.threshold = try OnDemandQuestion.threshold(threshold)
    } catch {
      throw ValidationError("\(error)")
    }
    let configuration = try folder.load()
    let check = OnDemandQuestion.check(configuration)
    do throws(OnDemandCheck.Refusal) {
      let answer = try await check.answer(question, now: wallClock())
      if json { print(answer.json.text) } else { CheckVerb.show(answer) }
      let isUnusual = answer.isAnomaly || answer.findings.contains { $0.severity != nil }
      if isUnusual { Foundation.exit(2) }
    } catch {
      FileHandle.standardError.write(Data("tocsin: \(error)\n".utf8))
      Foundation.exit(error.kind == .invalid ? 64 : 1)
    }
  }

  private static func show(_ a: OnDemandCheck.Answer) {
    let series =
      a.dimensions.isEmpty ? "" : " (" + a.dimensions.map { "\($0.name)=\($0.value)" }.joined(separator: ", ") + ")"
    print("\(a.event) \(a.metric)\(series), \(a.window.start.rfc3339) to \(a.window.end.rfc3339)")
    print("  \(a.isAnomaly ? "UNUSUAL" : a.z == nil ? "unknown" : "usual"): \(a.sentence)")
    func row(_ name: String, _ value: Double?) {
      if let value {
        print("  \(name.padding(toLength: 12, withPad: " ", startingAt: 0))\(BaselinesVerb.number(value))")
      }
    }
    row("value", a.value)
    row("mean", a.mean)
    row("deviation", a.deviation)
    row("z", a.z)
    if let kept = a.kept, kept.count > 0 {
      print(
        "  kept baseline: mean \(BaselinesVerb.number(kept.mean)), 95 % below \(BaselinesVerb.number(kept.upper.value ?? 0)), \(kept.count) windows"
      )
    }
    for f in a.findings {
      print("  \(f.severity?.name ?? "normal"): \(f.check) (\(f.series))\(f.severity == nil ? "" : ": \(f.sentence)")")
    }
  }
}

/// What the command line and the HTTP API read alike.
enum OnDemandQuestion {
  static func check(_ configuration: Configuration) -> OnDemandCheck {
    let path = "\(configuration.dataDirectory)/detectors.sqlite"
    // Asked by a process that runs no detector, there may be no such file: then there are no kept baselines.
    let state = FileManager.default.fileExists(atPath: path) ? try? DetectorState(path: path) : nil
    return OnDemandCheck(plan: DetectionPlan(configuration.detection), book: state.map { BaselineBook($0) })
  }

  static func window(_ start: String?, _ end: String?, now: Timestamp) throws(OnDemandCheck.Refusal) -> Anomaly.Window?
  {
    guard start != nil || end != nil else { return nil }
    let times = [start, end].map { $0.flatMap { time($0) } }
    for (name, text, time) in [("start", start, times[0]), ("end", end, times[1])] where text != nil && time == nil {
      throw OnDemandCheck.Refusal(
        .invalid, "\(name) must be a time such as 2026-11-20T06:00:00Z, or milliseconds since 1970")
    }
    guard let first = times[0] else { throw OnDemandCheck.Refusal(.invalid, "an end needs a start") }
    let last = times[1] ?? now
    guard first < last, last - first <= .days(366) else {
      throw OnDemandCheck.Refusal(.invalid, "the window must begin before it ends, and be at most a year")
    }
    return Anomaly.Window(start: first, end: last)
  }

  /// RFC 3339, or milliseconds since 1970, as browsers count.
  private static func time(_ text: String) -> Timestamp? {
    if let ms = Int64(text), (0..<10_000_000_000_000).contains(ms) { return Timestamp(microseconds: ms * 1000) }
    return Timestamp(rfc3339: text)
  }

  static func days(_ days: Double) throws(OnDemandCheck.Refusal) -> Double {
    guard OnDemandCheck.Question.daysRange.contains(days) else {
      throw OnDemandCheck.Refusal(.invalid, "the baseline must be an hour to ten years long, in days")
    }
    return days
  }

  static func threshold(_ z: Double) throws(OnDemandCheck.Refusal) -> Double {
    guard OnDemandCheck.Question.thresholdRange.contains(z) else {
      throw OnDemandCheck.Refusal(.invalid, "the threshold must be 0.1 to 1000 standard deviations")
    }
    return z
  }

  /// Names of the question itself; every other one in a query is a dimension.
  static let names: Set<String> = [
    "metric", "event_type", "current_start", "current_end", "baseline_days", "threshold",
  ]

  /// `metric=api_calls&customer_id=acme&current_start=…&current_end=…&baseline_days=30&threshold=3`
  static func read(_ query: [(name: String, value: String)], now: Timestamp) throws(OnDemandCheck.Refusal)
    -> OnDemandCheck.Question
  {
    func one(_ name: String) -> String? { query.first { $0.name == name && !$0.value.isEmpty }?.value }
    guard let metric = one("metric") else { throw OnDemandCheck.Refusal(.invalid, "metric is missing") }
    var question = OnDemandCheck.Question(metric: metric)
    question.event = one("event_type")
    question.window = try window(one("current_start"), one("current_end"), now: now)
    if let text = one("baseline_days") {
      guard let days = Double(text) else { throw OnDemandCheck.Refusal(.invalid, "baseline_days must be a number") }
      question.baselineDays = try self.days(days)
    }
    if let text = one("threshold") {
      guard let z = Double(text) else { throw OnDemandCheck.Refusal(.invalid, "threshold must be a number") }
      question.threshold = try threshold(z)
    }
    question.dimensions = query.filter { !names.contains($0.name) }.map { Anomaly.Label($0.name, $0.value) }
    return question
  }
}
