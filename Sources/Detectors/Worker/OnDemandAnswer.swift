package import Alerts

extension OnDemandCheck.Answer {
  /// What programs get. `severity` is `warning`, `critical` or null, for whoever only tells those two apart.
  package var json: JSON {
    let dims = dimensions.map { JSON.Member($0.name, .string($0.value)) }
    let head: [JSON.Member] =
      [.init("event_type", .string(event)), .init("metric", .string(metric))]
      + dims.filter { !["event_type", "metric"].contains($0.name) }
    let body: JSON = .compact([
      "dimensions": .object(dims),
      "window": ["start": .string(window.start.rfc3339), "end": .string(window.end.rfc3339)],
      "threshold": .number(threshold), "is_anomaly": .bool(isAnomaly), "summary": .string(sentence),
      "kept_baseline": kept?.json ?? .null,
    ])
    let baseline: JSON = .compact([
      "mean": .number(mean), "stddev": .number(deviation), "samples": .int(samples),
    ])
    let level: JSON = severity.map { .string($0 == .critical ? "critical" : "warning") } ?? .null
    let checks: JSON = .array(
      findings.map { f in
        .compact([
          "check": .string(f.check), "detector": .string(f.detector), "series": .string(f.series),
          "window_end": .string(f.window.end.rfc3339), "value": .number(f.value), "expected": .number(f.expected),
          "severity": .text(f.severity?.name), "summary": .string(f.sentence),
        ])
      })
    return .object(
      head + (body.members ?? []) + [.init("current_value", .number(value)), .init("z_score", .number(z))]
        + [.init("baseline", baseline), .init("severity", level), .init("checks", checks)])
  }
}
