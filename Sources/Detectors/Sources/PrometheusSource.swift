import Alerts

/// Prometheus, or what speaks its HTTP API (Thanos, Mimir, VictoriaMetrics): each metric is a PromQL expression, evaluated by the server at the end of
/// each window.
///
/// `$window` in an expression stands for the window's length, such as `increase(orders_total[$window])`. The dimensions are labels.
/// Source: Prometheus documentation, "HTTP API", range queries.
package struct PrometheusSource: MetricSource {
  let http: HTTPOptions
  package var keepsHistory: Bool { true }
  /// A server refuses more points of one series in one answer (11,000).
  static let pointLimit = 10_000
  /// Without windows: the distance of the points, and how far back the first reading goes.
  static let resolution = Interval.minutes(1)
  static let firstPast = Interval.days(1)

  init(http: HTTPOptions) { self.http = http }

  init?(_ o: inout ConnectionOptions) {
    guard let http = HTTPOptions(&o) else { return nil }
    if o.source.table != nil || o.source.filter != nil {
      o.fault(nil, "Prometheus has no tables", mend: "give each metric as column: a PromQL expression")
    }
    if o.source.query != nil, o.source.metrics.count > 1 {
      o.fault(nil, "one query gives one metric", mend: "give each metric its own expression as column")
    }
    self.init(http: http)
  }

  /// Evaluations at one distance from each other: one request.
  struct Stretch: Equatable {
    var first: Timestamp
    var step: Interval
    var starts: [Timestamp]
  }

  package func read(_ request: SourceRequest) async throws -> SourceReading {
    let stretches = PrometheusSource.stretches(request)
    var cells: [Key: [Double?]] = [:]
    for (k, metric) in request.metrics.enumerated() {
      let expression = request.source.query ?? metric.column
      for stretch in stretches {
        try await read(expression, metric: k, stretch, request, &cells)
      }
    }
    return SourceReading(
      rows: cells.map { SourceReading.Row(time: $0.key.time, dimensions: $0.key.dimensions, values: $0.value) }.sorted {
        $0.time != $1.time ? $0.time < $1.time : $0.dimensions.lexicographicallyPrecedes($1.dimensions)
      })
  }

  private struct Key: Hashable {
    var time: Timestamp
    var dimensions: [String]
  }

  /// Windows are not all of one length (days with a change of the clock): they are asked in stretches of equal distance.
  static func stretches(_ request: SourceRequest) -> [Stretch] {
    var points: [(start: Timestamp, end: Timestamp)] = []
    if request.calendar.bucket == .exact {
      let step = resolution.microseconds
      var t = floorDivide((request.from ?? request.to - firstPast).microseconds + step - 1, step) * step
      while t < request.to.microseconds {
        points.append((Timestamp(microseconds: t), Timestamp(microseconds: t)))
        t += step
      }
    } else {
      let from = request.from ?? request.to - (request.calendar.bucket.length ?? firstPast) * 1000
      points = request.calendar.windows(from: from, to: request.to, limit: 1_000_000).map { ($0.start, $0.end) }
    }
    var out: [Stretch] = []
    var distance = Interval.zero
    for (i, point) in points.enumerated() {
      let step = i > 0 ? point.end - points[i - 1].end : .zero
      if let last = out.last, last.starts.count < pointLimit, last.starts.count == 1 || step == distance {
        distance = step
        out[out.count - 1].starts.append(point.start)
        out[out.count - 1].step = step
      } else {
        out.append(Stretch(first: point.end, step: resolution, starts: [point.start]))
      }
    }
    return out
  }

  private func read(
    _ expression: String, metric k: Int, _ stretch: Stretch, _ request: SourceRequest, _ cells: inout [Key: [Double?]]
  ) async throws {
    let length = request.calendar.bucket == .exact ? PrometheusSource.resolution : request.calendar.bucket.length
    let window = "\(max(1, (length ?? PrometheusSource.resolution).microseconds / 1_000_000))s"
    let query = expression.split(separator: "$window", omittingEmptySubsequences: false).joined(separator: window)
    let last = stretch.first + stretch.step * Int64(stretch.starts.count - 1)
    let fields = [
      ("query", query), ("start", PrometheusSource.seconds(stretch.first)), ("end", PrometheusSource.seconds(last)),
      ("step", String(stretch.step.seconds)), ("timeout", "\(max(1, request.timeout.wholeSeconds))s"),
    ]
    let json = try await answer(fields, request)
    guard json["resultType"]?.string == "matrix", let series = json["result"]?.array else {
      throw SourceError(
        .query, "\"\(expression.prefix(80))\" gives a \(json["resultType"]?.string ?? "?"), and no series of numbers")
    }
    for one in series {
      let labels = one["metric"] ?? .null
      let dimensions = request.dimensions.map { labels[$0]?.string ?? "null" }
      for point in one["values"]?.array ?? [] {
        guard let at = point[0]?.double, let text = point[1]?.string else { continue }
        let n = Int(((at - stretch.first.exactSeconds) / stretch.step.seconds).rounded())
        guard stretch.starts.indices.contains(n) else { continue }
        let key = Key(time: stretch.starts[n], dimensions: dimensions)
        if cells[key] == nil, cells.count >= request.rowLimit { throw WindowRows.tooMany(request) }
        var values = cells[key] ?? Array(repeating: nil, count: request.metrics.count)
        guard values[k] == nil else {
          throw SourceError(
            .query, "\"\(expression.prefix(80))\" gives several series for \(dimensions)",
            mend: "sum them by the dimensions, or name more labels under dimensions")
        }
        values[k] = Double(text).flatMap { $0.isFinite ? $0 : nil }
        cells[key] = values
      }
    }
  }

  private static func seconds(_ t: Timestamp) -> String {
    let rest = t.microseconds % 1_000_000
    return rest == 0 ? String(t.microseconds / 1_000_000) : String(t.exactSeconds)
  }

  private func answer(_ fields: [(name: String, value: String)], _ request: SourceRequest) async throws -> JSON {
    var fetch = HTTPFetch(
      url: http.url + "/api/v1/query_range", body: Array(HTTPFetch.form(fields).utf8), timeout: request.timeout)
    fetch.headers = [("Content-Type", "application/x-www-form-urlencoded")]
    if let token = http.token { fetch.headers.append(("Authorization", "Bearer \(token)")) }
    (fetch.username, fetch.password, fetch.caFile) = (http.user, http.password, http.caFile)
    do {
      let answer = try await fetch.perform()
      guard let json = try? JSON(parsing: answer.body), let status = json["status"]?.string else {
        throw SourceError(
          answer.status == 200 ? .query : HTTPFetch.kind(ofStatus: answer.status),
          "\(fetch.host) answered \(answer.status), and not as Prometheus does: \(answer.text)")
      }
      guard status == "success", let data = json["data"] else {
        let type = json["errorType"]?.string ?? ""
        let kind: SourceError.Kind =
          type == "timeout" || type == "canceled"
          ? .timeout : type == "bad_data" ? .query : HTTPFetch.kind(ofStatus: answer.status)
        throw SourceError(kind, "Prometheus refused: \(json["error"]?.string ?? answer.text)")
      }
      return data
    } catch let error as SourceError {
      throw error.hiding(http.secrets)
    }
  }
}

extension Timestamp {
  fileprivate var exactSeconds: Double { Double(microseconds) / 1_000_000 }
}
