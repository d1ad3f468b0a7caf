import Alerts
import Console
import Detectors
import TocsinConfiguration

extension Running {
  /// Looks at a metric for whoever asks over HTTP, with the configuration of the moment.
  static func check(
    _ configuration: Configuration, _ query: [(name: String, value: String)], _ tenants: [String]?
  ) async throws -> JSON {
    var seen = configuration
    seen.detection.events.removeAll { event in !(tenants?.contains(event.tenant) ?? true) }
    do throws(OnDemandCheck.Refusal) {
      let question = try OnDemandQuestion.read(query, now: wallClock())
      var json = try await OnDemandQuestion.check(seen).answer(question, now: wallClock()).json
      // What was asked for under another name, such as customer_id, is answered under it too.
      for dimension in question.dimensions where json[dimension.name] == nil {
        json = .object((json.members ?? []) + [.init(dimension.name, .string(dimension.value))])
      }
      return json
    } catch {
      let kind: CheckRefusal.Kind =
        switch error.kind {
        case .unknown: .unknown
        case .invalid: .invalid
        case .unavailable: .unavailable
        }
      throw CheckRefusal(kind, error.description)
    }
  }
}
