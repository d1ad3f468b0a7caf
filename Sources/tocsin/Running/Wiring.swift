import Alerts
import Bus
import Foundation
import Logging
import TocsinConfiguration

// From the configuration to the settings of the bus.

extension Configuration {
  func gatewaySettings() throws -> GatewaySettings {
    var settings = GatewaySettings(gateway: bus.gateway, feed: bus.feed)
    settings.insecure = bus.insecure
    if let curve = bus.curve, let secret = curve.secretKey {
      settings.keys = try CurveKeyPair(secretKey: secret)
      settings.clients = curve.clients.map { client in
        GatewaySettings.Client(
          name: client.name, publicKey: client.publicKey,
          permissions: client.may.reduce(into: Permissions()) { all, one in
            switch one {
            case .publish: all.insert(.publish)
            case .respond: all.insert(.respond)
            case .notify: all.insert(.notify)
            case .read: all.insert(.read)
            }
          })
      }
    }
    return settings
  }
}

enum Log {
  /// Lines on standard error: what happens, for whoever runs the program.
  static func start(_ level: Logger.Level = .info) {
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel = level
      return handler
    }
  }
}
