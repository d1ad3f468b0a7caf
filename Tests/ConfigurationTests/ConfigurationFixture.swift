import Alerts
import Foundation
import TocsinConfiguration

/// A configuration directory that is gone when the test is over.
final class ConfigurationFixture {
  let directory: String

  init(_ main: String?, metrics: [String: String] = [:]) throws {
    directory = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: directory + "/metrics", withIntermediateDirectories: true)
    if let main { try main.write(toFile: directory + "/tocsin.yaml", atomically: true, encoding: .utf8) }
    for (name, text) in metrics {
      try text.write(toFile: directory + "/metrics/\(name)", atomically: true, encoding: .utf8)
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  func load(_ environment: [String: String] = [:]) throws -> Configuration {
    try Configuration.load(directory: directory, environment: environment)
  }

  /// Each fault as `tocsin.yaml:3:7 key: message`, without the directory.
  func faults(_ environment: [String: String] = [:]) -> [String] {
    do {
      _ = try Configuration.load(directory: directory, environment: environment)
      return []
    } catch {
      return error.faults.map { fault in
        let place = fault.place.map { "\($0)".replacingOccurrences(of: directory + "/", with: "") } ?? "-"
        return "\(place) \(fault.key): \(fault.message)"
      }
    }
  }

  func mends() -> [String] {
    do {
      _ = try load()
      return []
    } catch {
      return (error as? ConfigurationFaults)?.faults.compactMap(\.mend) ?? []
    }
  }
}
