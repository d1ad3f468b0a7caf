import Alerts

/// What a `data_source` may say whatever its kind.
struct SourceOptions: Sendable {
  var zone = Zone.utc
  /// The window length of `checks`; nil where every time in the data is a point of its own.
  var step: Interval?
  var timeout = SourceRequest.defaultTimeout
  var rowLimit = SourceRequest.defaultRowLimit
  /// What the first run looks at: everything there is, or the newest window alone. Nil leaves it to the kind of source.
  var firstRun: FirstRun?
  /// Further tries of a read that failed for a reason that may pass.
  var retries = 2
  /// How long after its end a window is complete.
  var delay = Interval.zero
  /// How many windows back it looks for rows that came late.
  var recheck = 3
  enum FirstRun: String, CaseIterable { case all, last }

  static let names = [
    "time_zone", "step", "timeout", "row_limit", "first_run", "retries", "delay", "recheck",
  ]

  init(_ event: EventSettings, _ faults: inout [Fault]) {
    var shim = CheckSettings(
      name: "\(event.name).data_source", detector: "data_source", metric: nil, period: .point,
      parameters: event.source.options.filter { SourceOptions.names.contains($0.key) },
      place: event.source.place ?? event.place)
    shim.name = "\(event.name).data_source"
    var p = Parameters(shim)
    if let name = p.text("time_zone") {
      if let zone = Zone(name: name) {
        self.zone = zone
      } else {
        p.fault("time_zone", "\"\(name)\" is not a time zone", mend: "give an IANA name such as Europe/Berlin")
      }
    }
    step = p.interval("step", in: .seconds(1)...(.days(366)))
    timeout = p.interval("timeout", in: .milliseconds(100)...(.hours(6))) ?? timeout
    rowLimit = p.integer("row_limit", in: 1...50_000_000) ?? rowLimit
    firstRun = p.choice("first_run", FirstRun.self)
    retries = p.integer("retries", in: 0...10) ?? retries
    delay = p.interval("delay", in: .zero...(.days(30))) ?? delay
    // No more than what is read of the past in any case.
    recheck = p.integer("recheck", in: 0...Int(DueWork.shownPast)) ?? recheck
    faults += p.faults
  }
}
