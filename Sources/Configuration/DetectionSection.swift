import Alerts
import Detectors

/// `detection: {flood: {after: 50, within: 1h}}`: what holds for all checks.
enum DetectionSection {
  static func read(_ field: Field?, into settings: inout DetectionSettings) {
    guard let section = field?.section() else { return }
    if let field = section.take("flood") {
      if field.isMap {
        readFlood(field, &settings)
      } else if field.bool() == false {
        settings.flood = nil
      }
    }
    section.finish()
  }

  private static func readFlood(_ field: Field, _ settings: inout DetectionSettings) {
    guard let section = field.section() else { return }
    var rule = FloodRule()
    if let field = section.take("after"), let after = field.int(FloodRule.afterRange) { rule.after = after }
    if let field = section.take("within"), let within = field.interval(atLeast: FloodRule.withinRange.lowerBound) {
      if within > FloodRule.withinRange.upperBound {
        field.fault("must be at most \(FloodRule.withinRange.upperBound)", mend: "1h suits most")
      }
      rule.within = within
    }
    section.finish()
    settings.flood = rule
  }
}
