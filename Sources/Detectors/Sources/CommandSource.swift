import Alerts

/// Any program that prints CSV, JSON lines or one JSON array. It gets the range in `TOCSIN_FROM` and `TOCSIN_TO` (RFC 3339); rows
/// without a time are of now.
package struct CommandSource: MetricSource {
  let arguments: [String]
  package let keepsHistory: Bool
  package var isRecording: Bool { keepsHistory }

  /// `arguments` as for execvp; a single shell line is `["/bin/sh", "-c", line]`.
  package init(arguments: [String], keepsHistory: Bool = true) {
    self.arguments = arguments
    self.keepsHistory = keepsHistory
  }

  package func read(_ request: SourceRequest) async throws -> SourceReading {
    var environment = ["TOCSIN_TO": request.to.rfc3339]
    environment["TOCSIN_FROM"] = request.from?.rfc3339 ?? ""
    let outcome = try await Subprocess.run(arguments, environment: environment, timeout: request.timeout)
    guard outcome.status == 0 else {
      let said = outcome.errors.isEmpty ? "and said nothing" : "and said: \(outcome.errors.suffix(400))"
      throw SourceError(.refused, "the command ended with status \(outcome.status) \(said)")
    }
    return try TextSource.read(outcome.output, request)
  }
}
