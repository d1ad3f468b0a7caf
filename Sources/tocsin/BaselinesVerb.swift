import Alerts
import ArgumentParser
import Detectors
import Foundation
import TocsinConfiguration

/// `tocsin baselines`: what is usual, as the detectors have learned it.
struct BaselinesVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "baselines", abstract: "Shows what is usual: mean, deviation and bounds of each metric's windows.",
    discussion: """
      Detector workers keep them as they check: for each series at all times, by hour of the day and by day of the week. They grow with every window, survive
      restarts, and are reset on purpose only.
      """, subcommands: [List.self, Show.self, Reset.self], defaultSubcommand: List.self)

  struct Choice: ParsableArguments {
    @ArgumentParser.Option(help: "Only this event type.") var event: String?
    @ArgumentParser.Option(help: "Only this metric.") var metric: String?
    @ArgumentParser.Option(help: "Only this series, such as device=mobile, or - for the total.") var series: String?
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists them, at all times together (the default).")
    @OptionGroup var folder: ConfigVerb.Folder
    @OptionGroup var choice: Choice
    @ArgumentParser.Option(help: "At most so many.") var limit = 200
    @Flag(help: "Print JSON lines.") var json = false

    func validate() throws {
      guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit must be 1 to 1000000") }
    }

    func run() throws {
      try ProjectionsVerb.failing {
        let rows =
          try BaselinesVerb.book(folder)?.rows(
            event: choice.event, metric: choice.metric, series: choice.series, season: "all", limit: limit) ?? []
        BaselinesVerb.print(rows, json: json) { "\($0.key.event)/\($0.key.metric) \($0.key.window) \($0.key.series)" }
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows one metric's by hour and by day of the week.")
    @OptionGroup var folder: ConfigVerb.Folder
    @Argument(help: "The event type.") var event: String
    @Argument(help: "The metric.") var metric: String
    @ArgumentParser.Option(help: "Only this series, such as device=mobile, or - for the total.") var series: String?
    @Flag(help: "Print JSON lines.") var json = false

    func run() throws {
      try ProjectionsVerb.failing {
        let rows = try BaselinesVerb.book(folder)?.rows(event: event, metric: metric, series: series) ?? []
        BaselinesVerb.print(rows, json: json) { "\($0.key.series) \($0.key.window) \($0.season)" }
      }
    }
  }

  struct Reset: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Begins anew with the next window: what was usual before counts no more.",
      discussion:
        "After a change that is meant to stay, such as a new price. It can't be taken back; running workers go on.")
    @OptionGroup var folder: ConfigVerb.Folder
    @Argument(help: "The event type.") var event: String
    @ArgumentParser.Option(help: "Only this metric.") var metric: String?
    @ArgumentParser.Option(help: "Only this series, such as device=mobile, or - for the total.") var series: String?
    @Flag(help: "Do it without asking.") var yes = false

    func run() throws {
      guard yes || BaselinesVerb.confirms(event) else { throw ExitCode(1) }
      try ProjectionsVerb.failing {
        let n = try BaselinesVerb.book(folder)?.reset(event: event, metric: metric, series: series) ?? 0
        guard n > 0 else {
          FileHandle.standardError.write(Data("tocsin: there is no such baseline; tocsin baselines lists them\n".utf8))
          throw ExitCode(1)
        }
        Swift.print("\(n) baselines begin anew")
      }
    }
  }

  /// Nil where no worker has run yet.
  static func book(_ folder: ConfigVerb.Folder) throws -> BaselineBook? {
    let path = "\(try folder.load().dataDirectory)/detectors.sqlite"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return BaselineBook(try DetectorState(path: path))
  }

  private static func confirms(_ event: String) -> Bool {
    guard isatty(STDIN_FILENO) == 1 else {
      FileHandle.standardError.write(Data("tocsin: say --yes to reset without being asked\n".utf8))
      return false
    }
    FileHandle.standardError.write(Data("Reset the baselines of \(event)? Type yes: ".utf8))
    return readLine() == "yes"
  }

  /// In 80 columns. A long name loses its beginning: what tells series apart stands at its end.
  private static func print(_ rows: [BaselineBook.Row], json: Bool, name: (BaselineBook.Row) -> String) {
    if json {
      for row in rows { Swift.print(row.json.text) }
      return
    }
    guard !rows.isEmpty else {
      FileHandle.standardError.write(Data("no baselines yet: a detector worker makes them as it checks\n".utf8))
      return
    }
    let width = min(36, max(10, rows.map { name($0).count }.max() ?? 0))
    func pad(_ text: String, _ n: Int) -> String { String(repeating: " ", count: max(1, n - text.count)) + text }
    func left(_ text: String) -> String {
      text.count > width
        ? "…" + text.suffix(width - 1) : text + String(repeating: " ", count: width - text.count)
    }
    Swift.print(left("series") + pad("windows", 8) + ["mean", "dev", "min", "95 %", "max"].map { pad($0, 7) }.joined())
    for row in rows {
      let b = row.baseline
      let numbers = b.count == 0 ? [] : [b.mean, b.deviation, b.least, b.upper.value ?? b.most, b.most]
      Swift.print(left(name(row)) + pad("\(b.count)", 8) + numbers.map { pad(number($0), 7) }.joined())
    }
  }

  /// In six characters: `1234`, `12.3k`, `0.041`.
  static func number(_ d: Double) -> String {
    guard d.isFinite else { return "-" }
    let m = d.magnitude
    for (limit, unit, letter) in [(1e12, 1e12, "T"), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")] where m >= limit
    {
      return String(format: m / unit >= 100 ? "%.0f%@" : "%.1f%@", d / unit, letter)
    }
    if m >= 100 || m == m.rounded() { return String(format: "%.0f", d) }
    return m >= 1 ? String(format: "%.2f", d) : m < 0.0005 ? String(format: "%.0e", d) : String(format: "%.3f", d)
  }
}
