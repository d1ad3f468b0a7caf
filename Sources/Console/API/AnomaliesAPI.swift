import Alerts
import Bus
import Hummingbird

/// `POST /api/v1/anomalies`: CloudEvents, one, a list, or one a line.
struct AnomaliesAPI: Sendable {
  let dependencies: ConsoleDependencies

  /// As large as a message on the bus.
  static let sizeLimit = 1 << 20
  static let countLimit = 10_000

  func post(_ request: Request, _ context: ConsoleContext) async throws -> Response {
    try AlertActions.mustRespond(context)
    let buffer = try await request.body.collect(upTo: AnomaliesAPI.sizeLimit)
    let bytes = Array(buffer.readableBytesView)
    let parts = try AnomaliesAPI.parts(bytes)
    guard parts.count <= AnomaliesAPI.countLimit else {
      throw Problem(.contentTooLarge, "at most \(AnomaliesAPI.countLimit) anomalies at once", code: "invalid")
    }
    let now = dependencies.now()
    var anomalies: [Anomaly] = []
    var rejected: [JSON] = []
    for (i, part) in parts.enumerated() {
      var error: String
      switch Anomaly.parse(part, now: now) {
      case .success(let anomaly):
        if context.identity.sees(anomaly.tenant) {
          anomalies.append(anomaly)
          continue
        }
        error = "you may not send for the tenant \"\(anomaly.tenant.prefix(60))\""
      case .failure(let problem): error = problem.message
      }
      rejected.append(["index": .int(i), "error": .string(error)])
    }
    if !anomalies.isEmpty { try await dependencies.anomalies.publish(anomalies) }
    return APIRoutes.json(
      ["accepted": .int(anomalies.count), "rejected": .array(rejected)],
      anomalies.isEmpty && !rejected.isEmpty ? .badRequest : .accepted)
  }

  /// Each anomaly's own bytes, so that one that can't be read leaves its neighbours alone.
  static func parts(_ bytes: [UInt8]) throws -> [[UInt8]] {
    let first = bytes.first { $0 > 32 }
    guard let first else {
      throw Problem(.badRequest, "the body is empty: send a CloudEvent, or a list of them", code: "invalid")
    }
    if first == UInt8(ascii: "[") {
      do {
        guard let items = try JSON(parsing: bytes).array else { return [bytes] }
        return items.map(\.bytes)
      } catch { throw Problem(.badRequest, "\(error)", code: "invalid") }
    }
    if (try? JSON(parsing: bytes)) != nil { return [bytes] }
    let lines = bytes.split(separator: 10).map(Array.init).filter { line in line.contains { $0 > 32 } }
    return lines
  }
}
