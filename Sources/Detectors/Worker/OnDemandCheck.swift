package import Alerts

/// A question about one metric, answered at once: is it unusual now? Nothing is published, and nothing remembered.
package struct OnDemandCheck: Sendable {
  package struct Question: Sendable, Equatable {
    package var metric: String
    /// Needed only where several event types have a metric of that name.
    package var event: String?
    /// Values that a series must have: `customer` = `acme`. What is not named is summed over.
    package var dimensions: [Anomaly.Label] = []
    /// The window; without it the newest whole one of the metric's checks.
    package var window: Anomaly.Window?
    package var baselineDays = 30.0
    /// In standard deviations.
    package var threshold = 3.0
    package init(metric: String) { self.metric = metric }

    package static let daysRange = 0.04...3660.0
    package static let thresholdRange = 0.1...1000.0
  }

  /// Why there is no answer.
  package struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable { case unknown, invalid, unavailable }
    package var kind: Kind
    package var description: String
    package init(_ kind: Kind, _ description: String) {
      self.kind = kind
      self.description = description
    }
  }

  /// What a configured check says of the newest window of one series.
  package struct Finding: Sendable, Equatable {
    package var check: String
    package var detector: String
    package var series: String
    package var window: Anomaly.Window
    package var value: Double
    package var expected: Double?
    /// Nil: normal.
    package var severity: Severity?
    package var sentence: String
  }

  package struct Answer: Sendable, Equatable {
    package var event: String
    package var metric: String
    package var dimensions: [Anomaly.Label]
    package var window: Anomaly.Window
    package var value: Double?
    package var mean: Double?
    package var deviation: Double?
    package var samples: Int
    package var threshold: Double
    package var z: Double?
    package var isAnomaly: Bool
    package var severity: Severity?
    /// In words.
    package var sentence: String
    package var findings: [Finding]
    /// The baseline that is kept of this series, if one is.
    package var kept: Baseline?
  }

  private let plan: DetectionPlan
  private let book: BaselineBook?

  package init(plan: DetectionPlan, book: BaselineBook? = nil) {
    self.plan = plan
    self.book = book
  }

  package func answer(_ question: Question, now: Timestamp) async throws(Refusal) -> Answer {
    let event = try event(of: question)
    guard let metric = event.settings.source.metrics.first(where: { $0.alias == question.metric }) else {
      throw Refusal(.unknown, "\(event.name) has no metric \"\(question.metric)\"")
    }
    let dimensions = try columns(question, event)
    do {
      let frame = try Frame(question, event, metric, now: now)
      let reading = try await event.source.read(
        SourceRequest(
          source: event.settings.source, dimensions: dimensions.map(\.name), metrics: [metric],
          calendar: frame.calendar, from: frame.from, to: frame.to, rowLimit: event.options.rowLimit,
          timeout: event.options.timeout))
      let rows = reading.rows.filter { $0.dimensions == dimensions.map(\.value) }
      if rows.isEmpty, !reading.rows.isEmpty {
        let some = Set(reading.rows.map { $0.dimensions.joined(separator: ", ") }).sorted().prefix(8)
        throw Refusal(.unknown, "there is no such series: there are \(some.joined(separator: ", "))")
      }
      let values = frame.values(rows)
      var answer = judge(question, event, dimensions, frame, values)
      answer.findings = try await findings(question, event, dimensions, now: now)
      answer.kept = try? book?.rows(
        event: event.name, metric: question.metric, series: AnomalyWriting.series(answer.dimensions), season: "all",
        limit: 1
      ).first?.baseline
      return answer
    } catch let refusal as Refusal {
      throw refusal
    } catch let error as SourceError {
      throw Refusal(.unavailable, "the data of \(event.name) can't be read: \(error.message)")
    } catch {
      throw Refusal(.unavailable, "\(error)")
    }
  }

  // MARK: What is asked about

  private func event(of question: Question) throws(Refusal) -> EventPlan {
    let having = plan.events.filter { $0.settings.source.metrics.contains { $0.alias == question.metric } }
    if let name = question.event {
      guard let event = plan.events.first(where: { $0.name == name }) else {
        throw Refusal(
          .unknown, "there is no event type \"\(name)\": there are \(plan.events.map(\.name).joined(separator: ", "))")
      }
      return event
    }
    guard let event = having.first else {
      let all = Set(plan.events.flatMap { $0.settings.source.metrics.map(\.alias) })
      let near = Nearest.name(to: question.metric, in: all)
      throw Refusal(
        .unknown,
        "there is no metric \"\(question.metric.prefix(80))\""
          + (near.map { "; did you mean \($0)?" } ?? ": there are \(all.sorted().joined(separator: ", "))"))
    }
    guard having.count == 1 else {
      throw Refusal(
        .invalid,
        "several event types have a metric \"\(question.metric)\": name one of \(having.map(\.name).joined(separator: ", "))"
      )
    }
    return event
  }

  /// The source's columns for the names asked: as it spells them, as anomalies do, or with `_id` behind.
  private func columns(_ question: Question, _ event: EventPlan) throws(Refusal) -> [Anomaly.Label] {
    var out: [Anomaly.Label] = []
    for label in question.dimensions {
      let column = event.settings.source.dimensions.first { d in
        let name = d.lowercased()
        return name == label.name.lowercased() || name + "_id" == label.name.lowercased()
      }
      guard let column else {
        let all = event.settings.source.dimensions.map { Facts.published($0) }
        throw Refusal(
          .invalid,
          "\(event.name) has no dimension \"\(label.name.prefix(80))\""
            + (all.isEmpty ? "" : ": it has \(all.joined(separator: ", "))"))
      }
      out.append(.init(column, label.value))
    }
    return out
  }

  // MARK: Judging

  private func judge(
    _ question: Question, _ event: EventPlan, _ dimensions: [Anomaly.Label], _ frame: Frame,
    _ values: [(start: Timestamp, value: Double)]
  ) -> Answer {
    let labels = dimensions.map { Anomaly.Label(Facts.published($0.name), $0.value) }.sorted { $0.name < $1.name }
    let current = values.first { $0.start == frame.window.start }?.value
    let past = values.filter { $0.start < frame.window.start }.map(\.value)
    var answer = Answer(
      event: event.name, metric: question.metric, dimensions: labels, window: frame.window, value: current, mean: nil,
      deviation: nil, samples: past.count, threshold: question.threshold, z: nil, isAnomaly: false, severity: nil,
      sentence: "", findings: [])
    guard past.count >= 3 else {
      answer.sentence = "\(question.metric) has too little past to compare with: \(past.count) windows"
      return answer
    }
    let n = Double(past.count)
    let mean = past.reduce(0, +) / n
    let sd = (past.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)).squareRoot()
    answer.mean = mean
    answer.deviation = sd
    guard let current else {
      answer.sentence = "\(question.metric) has no data in this window, where about \(Sentence.number(mean)) is usual"
      return answer
    }
    let j = ZScore.judgement(
      current, mean: mean, sd: sd, n: n, threshold: question.threshold, direction: .both, leastChange: 0)
    answer.z = j.z
    answer.isAnomaly = j.isAnomalous
    let z = j.z?.magnitude ?? 0
    // The threshold is where it begins; two thirds more is the worst, as 5 is for 3.
    answer.severity = !j.isAnomalous ? nil : z > question.threshold * 5 / 3 ? .critical : .medium
    answer.sentence = ZScore.sentence(question.metric, j, level: "its \(past.count)-window mean")
    return answer
  }

  /// What each configured check says of the newest window, for the series that the question's dimensions don't exclude.
  private func findings(
    _ question: Question, _ event: EventPlan, _ dimensions: [Anomaly.Label], now: Timestamp
  ) async throws -> [Finding] {
    guard question.window == nil, event.source.keepsHistory else { return [] }
    var out: [Finding] = []
    for check in event.checks where check.alias == question.metric {
      guard let work = DueWork(event, [check], bucket: check.bucket, now: now, watermarks: [:]) else {
        continue
      }
      let reading = try await event.source.read(
        SourceRequest(
          source: event.settings.source, dimensions: check.dimensions, metrics: event.settings.source.metrics,
          calendar: work.calendar, from: work.from, to: work.to, rowLimit: event.options.rowLimit,
          timeout: event.options.timeout))
      let table = SeriesTable(reading, work, from: work.from, check.dimensions, event.settings.source.metrics)
      for entry in table.entries(of: check) where Self.fits(entry, check, dimensions) {
        guard let last = entry.series.points.last(where: { $0.time < work.to })?.time,
          let a = event.assess(
            check, entry, table, calendar: work.calendar, due: last...last, kept: kept(event, check, entry)
          ).last
        else { continue }
        var finding = Finding(
          check: check.name, detector: check.detector.name, series: AnomalyWriting.series(entry.dimensions),
          window: a.window, value: a.judgement.value, expected: a.judgement.expected, severity: nil,
          sentence: "normal")
        if case .firing(let severity) = a.verdict {
          finding.severity = severity
          finding.sentence = check.detector.sentence(check.metric, a.judgement)
        }
        out.append(finding)
      }
    }
    return out
  }

  /// For a check that judges by the baselines that workers keep.
  private func kept(_ event: EventPlan, _ check: CheckPlan, _ entry: SeriesTable.Entry) -> KeptPast? {
    guard check.detector is any BaselineJudging, let book else { return nil }
    let key = BaselineKeeping(event: event).key(check, check.bucket, entry.dimensions)
    let rows = try? book.rows(event: key.event, metric: key.metric, window: key.window, series: key.series)
    guard let rows, !rows.isEmpty else { return nil }
    return KeptPast(
      rows: Dictionary(rows.map { ($0.season, $0) }, uniquingKeysWith: { a, _ in a }), bucket: check.bucket,
      zone: event.zone)
  }

  private static func fits(_ entry: SeriesTable.Entry, _ check: CheckPlan, _ dimensions: [Anomaly.Label]) -> Bool {
    dimensions.allSatisfy { wanted in
      check.dimensions.firstIndex(of: wanted.name).map { entry.values[$0] == wanted.value } ?? true
    }
  }
}

/// The windows that a question compares, and how the source's rows make them.
private struct Frame {
  let window: Anomaly.Window
  let calendar: WindowCalendar
  let from: Timestamp
  let to: Timestamp
  /// How a window's parts become its value; nil where the source makes whole windows.
  let joining: Aggregate?

  init(_ q: OnDemandCheck.Question, _ event: EventPlan, _ metric: DataSource.Metric, now: Timestamp) throws {
    let past = Interval(microseconds: Int64(q.baselineDays * 86_400_000_000))
    let buckets = event.checks.filter { $0.alias == q.metric }.map(\.bucket).filter { $0 != .exact }
    let usual = buckets.min { ($0.length ?? .zero) < ($1.length ?? .zero) } ?? .day
    guard let asked = q.window else {
      let calendar = WindowCalendar(usual, zone: event.zone)
      guard let last = calendar.windows(from: now - (usual.length ?? .days(1)) * 3, to: now).last else {
        throw OnDemandCheck.Refusal(.invalid, "there is no whole window before \(now.rfc3339)")
      }
      (window, self.calendar, to, joining) = (last, calendar, last.end, nil)
      from = calendar.window(at: last.start - past).start
      return
    }
    guard asked.start < asked.end else {
      throw OnDemandCheck.Refusal(.invalid, "the window must begin before it ends")
    }
    window = asked
    to = asked.end
    for bucket in [Bucket.hour, .day, .week] + buckets {
      let calendar = WindowCalendar(bucket, zone: event.zone)
      if calendar.window(at: asked.start) == asked {
        self.calendar = calendar
        joining = nil
        from = calendar.window(at: asked.start - past).start
        return
      }
    }
    // A window of its own: put together from parts that fit into it.
    let length = (asked.end - asked.start).microseconds
    guard !SQLText.aggregates(metric.column), let aggregate = Aggregate(name: metric.aggregate),
      aggregate != .none, aggregate != .missing
    else {
      throw OnDemandCheck.Refusal(
        .invalid, "\(q.metric) is a ratio, which only a whole hour, day or week of the data has: give such a window")
    }
    let parts: [Interval] = [.days(1), .hours(1), .minutes(5), .minutes(1)]
    guard
      let part = parts.first(where: {
        length % $0.microseconds == 0 && asked.start.microseconds % $0.microseconds == 0
      })
    else { throw OnDemandCheck.Refusal(.invalid, "the window must begin and end at whole minutes") }
    calendar = WindowCalendar(.step(part), zone: event.zone)
    joining = aggregate
    from = asked.start - Interval(microseconds: past.microseconds / length * length)
  }

  /// Windows with their values, oldest first. A window without a row has none.
  func values(_ rows: [SourceReading.Row]) -> [(start: Timestamp, value: Double)] {
    guard let joining else {
      return rows.compactMap { row in (row.values.first ?? nil).map { (row.time, $0) } }
    }
    let length = (window.end - window.start).microseconds
    var cells: [Int64: (rows: Double, sum: Double, least: Double, most: Double)] = [:]
    for row in rows {
      guard let value = row.values.first ?? nil else { continue }
      let k = floorDivide((row.time - window.start).microseconds, length)
      var cell = cells[k] ?? (0, 0, .infinity, -.infinity)
      let weight = joining == .avg ? Double(row.count) : 1
      cell = (cell.rows + weight, cell.sum + weight * value, min(cell.least, value), max(cell.most, value))
      cells[k] = cell
    }
    return cells.sorted { $0.key < $1.key }.map { k, cell in
      let value =
        switch joining {
        case .min: cell.least
        case .max: cell.most
        case .avg: cell.sum / max(1, cell.rows)
        default: cell.sum
        }
      return (window.start + Interval(microseconds: k * length), value)
    }
  }
}
