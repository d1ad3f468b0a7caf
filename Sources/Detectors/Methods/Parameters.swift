package import Alerts

/// Reads a check's parameters, and collects every fault instead of stopping at the first. What no detector asked for is a fault too.
package struct Parameters {
  package let check: CheckSettings
  /// The zone of the data's days and hours.
  package var zone = Zone.utc
  package private(set) var faults: [Fault] = []
  private var asked: Set<String> = []

  package init(_ check: CheckSettings) { self.check = check }

  package mutating func option(_ names: String...) -> (name: String, option: Option)? {
    asked.formUnion(names)
    for name in names {
      if let option = check.parameters[name], !option.value.isNull { return (name, option) }
    }
    return nil
  }

  package mutating func fault(_ name: String?, _ message: String, mend: String? = nil) {
    let place = name.flatMap { check.parameters[$0]?.place } ?? check.place
    faults.append(Fault(place, key: name.map { "\(check.name).\($0)" } ?? check.name, message, mend: mend))
  }

  /// A number; `30%` reads as 0.3.
  package mutating func number(_ names: String..., in range: ClosedRange<Double>) -> Double? {
    var found: (name: String, option: Option)?
    for name in names where found == nil { found = option(name) }
    asked.formUnion(names)
    guard let found else { return nil }
    var value = found.option.value.double
    if let text = found.option.value.string {
      value = text.hasSuffix("%") ? Double(text.dropLast().trimmed).map { $0 / 100 } : Double(text)
    }
    guard let value, value.isFinite, range.contains(value) else {
      fault(
        found.name, "\(found.option.value.text) is not usable",
        mend: "give a number from \(Sentence.number(range.lowerBound)) to \(Sentence.number(range.upperBound))")
      return nil
    }
    return value
  }

  package mutating func integer(_ names: String..., in range: ClosedRange<Int>) -> Int? {
    var found: (name: String, option: Option)?
    for name in names where found == nil { found = option(name) }
    asked.formUnion(names)
    guard let found else { return nil }
    guard let n = found.option.value.int, let value = Int(exactly: n), range.contains(value) else {
      fault(
        found.name, "\(found.option.value.text) is not usable",
        mend: "give a whole number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return value
  }

  package mutating func interval(_ name: String, in range: ClosedRange<Interval>) -> Interval? {
    guard let found = option(name) else { return nil }
    guard let value = found.option.value.string.flatMap({ Interval($0) }), range.contains(value) else {
      fault(
        name, "\(found.option.value.text) is not a length of time that can be used here",
        mend: "give one such as 90s, 15m or 7d, from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return value
  }

  package mutating func text(_ name: String) -> String? {
    guard let found = option(name) else { return nil }
    guard let text = found.option.value.string else {
      fault(name, "\(found.option.value.text) is not a text")
      return nil
    }
    return text
  }

  package mutating func texts(_ name: String) -> [String]? {
    guard let found = option(name) else { return nil }
    if let one = found.option.value.string { return [one] }
    let all = found.option.value.array?.map(\.string)
    guard let all, !all.contains(where: { $0 == nil }) else {
      fault(name, "\(found.option.value.text) is not a list of texts")
      return nil
    }
    return all.compactMap { $0 }
  }

  package mutating func choice<C: RawRepresentable & CaseIterable>(_ name: String, _ type: C.Type) -> C?
  where C.RawValue == String {
    guard let text = text(name) else { return nil }
    guard let value = C(rawValue: text.lowercased()) else {
      fault(
        name, "\"\(text)\" is not known here",
        mend: "give one of \(C.allCases.map(\.rawValue).joined(separator: ", "))")
      return nil
    }
    return value
  }

  /// Ends the reading: what is left over is a fault.
  package mutating func finish() {
    for (name, option) in check.parameters.sorted(by: { $0.key < $1.key }) where !asked.contains(name) {
      let near = Nearest.name(to: name, in: asked)
      faults.append(
        Fault(
          option.place ?? check.place, key: "\(check.name).\(name)",
          "\(check.detector) has no parameter \"\(name)\"",
          mend: (near.map { "did you mean \($0)? " } ?? "") + "It takes \(asked.sorted().joined(separator: ", "))"))
    }
  }

  // MARK: What several detectors share

  /// The most points that a window of the past may have, which bounds a detector's memory.
  static let pointLimit = 100_000

  mutating func past(days defaultDays: Double?, points defaultPoints: Int, least: Int) -> Past {
    let days = number("lookback_days", "baseline_days", in: 0.001...3660)
    let points = integer("lookback", "window", in: 1...Parameters.pointLimit)
    let floor = integer("min_points", in: 1...Parameters.pointLimit)
    if days != nil, points != nil {
      fault("lookback_days", "lookback_days and lookback say the same thing twice", mend: "keep one of them")
    }
    let extent: Past.Extent
    if let days = days ?? (points == nil ? defaultDays : nil) {
      extent = .time(Interval(microseconds: Int64(days * 86_400_000_000)))
    } else {
      extent = .points(points ?? defaultPoints)
    }
    // A lookback that holds fewer points than usual asks for no more than it can hold.
    let holds: Int
    switch extent {
    case .points(let n): holds = n
    case .time(let length):
      let step: Interval? =
        switch check.period {
        case .daily: .days(1)
        case .weekly: .days(7)
        case .hourly: .hours(1)
        case .point: nil
        }
      holds = step.map { max(1, Int(length.microseconds / $0.microseconds)) } ?? least
    }
    return Past(extent: extent, least: floor ?? min(least, holds))
  }
}
