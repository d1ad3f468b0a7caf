import Alerts
import Console
import Foundation
import Lifecycle
import Logging
import Notifiers
import TocsinConfiguration

extension Running {
  /// Who is on call, by the configuration in force.
  func onCallSource() -> OnCallSource {
    @Sendable func receivers(_ c: Configuration, _ schedule: String) -> [String] {
      c.lifecycle.receivers.filter { $0.schedule == schedule }.map(\.name)
    }
    return OnCallSource(
      schedules: { [self] in
        let c = current
        return c.onCall.schedules.map {
          .init(name: $0.name, zone: LocalZone($0.timeZone) ?? .utc, receivers: receivers(c, $0.name))
        }
      },
      shifts: { [self] name, from, to in
        (current.onCall.schedule(name)?.shifts(from: from, to: to) ?? []).map {
          .init(person: $0.person, from: $0.from, until: $0.until, isOverride: $0.isOverride)
        }
      },
      standing: { [self] t in
        let c = current
        return .array(
          c.onCall.schedules.map {
            OnCallText.json($0, people: c.onCall.people, receivers: receivers(c, $0.name), at: t)
          })
      },
      calendar: { [self] name in
        let c = current
        return c.onCall.schedule(name).map { CalendarWriting.file($0, people: c.onCall.people, now: wallClock()) }
      })
  }

  /// What a signed link stands for. Whoever has an address of their own acts under their own name.
  func readLink(_ token: String) -> LinkReading {
    let c = current
    guard let secret = c.notifiers.linkSecret, secret.utf8.count >= SignedLink.keyLength else { return .off }
    switch SignedLink.verify(token, key: Array(secret.utf8), now: wallClock()) {
    case .failure(.invalid): return .invalid
    case .failure(.expired): return .expired
    case .success(let link):
      let person = c.onCall.people.first { person in
        person.email?.lowercased() == link.recipient.lowercased() || person.phone == link.recipient
      }
      return .acknowledge(
        link.alert, version: link.version, by: person?.name ?? "link/\(link.recipient)", sentTo: link.recipient)
    }
  }

  /// How often the steps of the weeks to come are looked at: the days go by even where nobody edits anything.
  private static let gapsEvery = Duration.seconds(86_400)

  /// Says in the log, at the start, after each edit and once a day, which steps would reach nobody.
  func gapsPart() -> Part {
    let edits = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    onEdit { _ in edits.continuation.yield() }
    edits.continuation.yield()
    return Part("on call") { [self] in
      let days = Task {
        while !Task.isCancelled {
          try? await Task.sleep(for: Running.gapsEvery)
          edits.continuation.yield()
        }
      }
      try await Part.untilStopped({
        days.cancel()
        edits.continuation.finish()
      }) { [self] in
        for await _ in edits.stream {
          for gap in current.gaps(now: wallClock()) {
            logger.warning("somebody would be told, and nobody is there", metadata: ["what": "\(gap)"])
          }
        }
      }
    }
  }
}
