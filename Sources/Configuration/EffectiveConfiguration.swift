package import Alerts
import Console
import Detectors
import Foundation
import Lifecycle
import Notifiers
import Projections

/// The configuration as it counts, defaults and all, without any secret: what `tocsin config show` prints.
///
/// Written out member by member: what is not named here can't leak.
extension Configuration {
  package var effective: JSON {
    .compact([
      "directory": .string(directory), "timezone": .string(timeZone), "log": .string("sqlite:\(logPath)"),
      "projections": .string("sqlite:\(projectionsPath)"), "data_directory": .string(dataDirectory),
      "bus": bus.effective,
      "console": console.effective, "reopen_within": .string(lifecycle.reopenWithin.description),
      "stale_after": lifecycle.staleAfterShown,
      "flapping": lifecycle.flappingShown, "storms": lifecycle.stormsShown,
      "inhibitions": lifecycle.inhibitionsShown, "dependencies": lifecycle.dependenciesShown,
      "maintenance": lifecycle.maintenanceShown, "silences": lifecycle.silencesShown,
      "archive_after": .string(archiveAfter?.description ?? "never"),
      "detection": [
        "flood": detection.flood.map { ["after": .int($0.after), "within": .string($0.within.description)] } ?? false
      ],
      "connections": .object(detection.connections.map { JSON.Member($0.name, $0.effective) }),
      "receivers": .object(lifecycle.receivers.map { JSON.Member($0.name, receiver($0)) }),
      "people": .object(onCall.people.map { JSON.Member($0.name, $0.effective) }),
      "schedules": .object(onCall.schedules.map { JSON.Member($0.name, $0.effective) }),
      "policies": .object(lifecycle.policies.map { JSON.Member($0.name, $0.effective) }),
      "routes": .array(lifecycle.routes.map(\.effective)), "digests": .array(digests.map(\.effective)),
      "audit": audit.effective, "channels": notifiers.effective, "events": .array(detection.events.map(\.effective)),
    ])
  }

  /// Stands where a secret is set.
  static let hidden: JSON = "***"

  private func receiver(_ receiver: Receiver) -> JSON {
    let secrets = (notifiers.receiverOptions[receiver.name] ?? [:]).keys.sorted()
    return .compact([
      "targets": .array(receiver.targets.map { .string("\($0.channel): \($0.destination)") }),
      "secrets": secrets.isEmpty ? .null : .object(secrets.map { JSON.Member($0, Configuration.hidden) }),
      "schedule": .text(receiver.schedule), "fallback": .text(receiver.fallback),
      "patience": .string(receiver.patience.description), "send_resolved": .bool(receiver.sendResolved),
      "quiet_hours": receiver.quiet?.effective ?? .null,
    ])
  }
}

private func hide(_ value: String?) -> JSON { value == nil ? .null : Configuration.hidden }

/// An address without what stands before the `@`, and without its query: both may hold secrets.
private func bare(_ url: String) -> String {
  guard let scheme = url.range(of: "://") else { return url }
  var rest = url[scheme.upperBound...]
  if let query = rest.firstIndex(where: { $0 == "?" || $0 == "#" }) { rest = rest[..<query] }
  let host = rest.prefix { $0 != "/" }
  if let at = host.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
  return "\(url[..<scheme.upperBound])\(rest)"
}

extension BusSettings {
  fileprivate var effective: JSON {
    .compact([
      "gateway": .string(gateway), "feed": .string(feed), "insecure": insecure ? true : .null,
      "curve": curve.map { curve in
        .compact([
          "secret_key": hide(curve.secretKey), "public_key": .text(curve.publicKey),
          "server_key": .text(curve.serverKey),
          "clients": .array(
            curve.clients.map {
              [
                "name": .string($0.name), "public_key": .string($0.publicKey),
                "may": .array($0.may.map { .string($0.rawValue) }),
              ]
            }),
        ])
      } ?? .null,
    ])
  }
}

extension ConsoleSettings {
  fileprivate var effective: JSON {
    .compact([
      "listen": .string(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"), "public_url": .text(publicURL),
      "insecure": insecure ? true : .null, "hosts": hosts.isEmpty ? .null : .array(hosts.map { .string($0) }),
      "users": users.isEmpty
        ? .null
        : .object(
          users.map { user in
            JSON.Member(
              user.name,
              .compact([
                "role": .string(user.role.rawValue), "token": Configuration.hidden,
                "tenants": user.tenants.map { .array($0.map { .string($0) }) } ?? .null,
              ]))
          }), "slack_signing_secret": hide(answers.slackSigningSecret),
      "pagerduty_webhook_secret": answers.pagerdutySecrets.isEmpty ? .null : Configuration.hidden,
    ])
  }
}

extension Connection {
  /// Paths and kinds are shown; whatever else a connection has may be a secret.
  fileprivate var effective: JSON {
    let open: Set<String> = ["path", "host", "port", "database", "user", "format", "timeout", "delimiter"]
    var members = [JSON.Member("kind", .string(kind))]
    for (name, option) in options.sorted(by: { $0.key < $1.key }) {
      if name == "url", let url = option.value.string {
        members.append(.init(name, .string(bare(url))))
      } else {
        members.append(.init(name, open.contains(name) ? option.value : Configuration.hidden))
      }
    }
    return .object(members)
  }
}

extension Person {
  fileprivate var effective: JSON {
    .compact([
      "email": .text(email), "slack": .text(slack), "phone": .text(phone), "pagerduty": .text(pagerduty),
      "notify": .array(targets.map { .string($0.channel) }),
    ])
  }
}

extension OnCallSchedule {
  fileprivate var effective: JSON {
    .compact([
      "timezone": .string(timeZone),
      "layers": .array(
        layers.map { layer in
          let hours: JSON = layer.windows.isEmpty ? .null : .array(layer.windows.map { .string($0.text) })
          switch layer.turns {
          case .rotation(let rotation):
            return .object((rotation.effective + [JSON.Member("hours", hours)]).filter { !$0.value.isNull })
          case .calendar(let events):
            return .compact([
              "calendar": .string("\(events.count) events"), "people": .array(layer.people.map { .string($0) }),
              "hours": hours,
            ])
          }
        }),
      "overrides": overrides.isEmpty
        ? .null
        : .array(
          overrides.map {
            [
              "person": .string($0.person), "from": .string($0.from.rfc3339), "until": .string($0.until.rfc3339),
            ]
          }),
    ])
  }
}

extension Rotation {
  fileprivate var effective: [JSON.Member] {
    let length =
      switch length {
      case .daily: "daily"
      case .weekly: "weekly"
      case .every(let interval): interval.description
      }
    let day = weekday.flatMap { self.length == .daily ? nil : "\(Weekday.names[$0 - 1]) " } ?? ""
    func date(_ day: Int64) -> JSON { .string(LocalTime(day: day, minute: 0).dateText) }
    return [
      JSON.Member("rotation", .string(length)), JSON.Member("handover", .string(day + clock(minuteOfDay))),
      JSON.Member("start", date(startDay)), JSON.Member("end", endDay.map(date) ?? .null),
      JSON.Member("people", .array(people.map { .string($0) })),
    ]
  }
}

func clock(_ minutes: Int) -> String {
  let m = minutes % 60
  let h = minutes / 60
  return "\(h < 10 ? "0" : "")\(h):\(m < 10 ? "0" : "")\(m)"
}

extension Policy {
  fileprivate var effective: JSON {
    .compact([
      "steps": .array(
        steps.map {
          .compact([
            "after": .string($0.after.description), "notify": .array($0.receivers.map { .string($0) }),
            "hours": .text($0.hours?.text), "outside_hours": .text($0.hours?.otherwise.rawValue),
          ])
        }),
      "repeat": .int(repeats), "acknowledge_timeout": .text(acknowledgeTimeout?.description),
      "acknowledge_reminder": reminder.map { $0 == .zero ? false : .string($0.description) } ?? .null,
    ])
  }
}

extension Route {
  fileprivate var effective: JSON {
    var members = [JSON.Member("match", .array(matchers.map { .string($0.description) }))]
    switch delivery {
    case .policy(let name): members.append(.init("policy", .string(name)))
    case .notify(let names): members.append(.init("notify", .array(names.map { .string($0) })))
    case .group(let names, let grouping):
      members.append(.init("notify", .array(names.map { .string($0) })))
      members.append(
        .init(
          "group",
          [
            "by": .array(grouping.by.map { .string($0) }), "wait": .string(grouping.wait.description),
            "interval": .string(grouping.interval.description),
          ]))
    case .dashboardOnly: members.append(.init("dashboard_only", true))
    }
    if continues { members.append(.init("continue", true)) }
    return .object(members)
  }
}

extension DigestSettings {
  fileprivate var effective: JSON {
    .compact([
      "period": .string(period.rawValue),
      "day": period == .weekly
        ? .string(Weekday.names[weekday - 1]) : period == .monthly ? .int(dayOfMonth) : .null,
      "at": .string(clock(minuteOfDay)), "timezone": .string(timeZone), "to": .array(to.map { .string($0) }),
      "tenant": .text(tenant),
    ])
  }
}

extension NotifierSettings {
  fileprivate var effective: JSON {
    .compact([
      "email": email.map {
        .compact([
          "server": .string(bare($0.server)), "from": .string($0.from), "username": .text($0.username),
          "password": hide($0.password), "tls": .string($0.tls.rawValue), "ca_file": .text($0.caFile),
        ])
      } ?? .null,
      "slack": slack.map { slack in
        .compact([
          "token": hide(slack.token), "api_url": .string(bare(slack.apiURL)),
          "webhooks": slack.webhooks.isEmpty
            ? .null : .object(slack.webhooks.keys.sorted().map { JSON.Member($0, Configuration.hidden) }),
          "ca_file": .text(slack.caFile),
        ])
      } ?? .null,
      "pagerduty": .compact(["url": .string(bare(pagerduty.url)), "ca_file": .text(pagerduty.caFile)]),
      "sms": sms.map {
        .compact([
          "url": .string(bare($0.url)), "account_sid": .string($0.accountSID), "auth_token": hide($0.authToken),
          "from": .string($0.from), "ca_file": .text($0.caFile),
        ])
      } ?? .null,
      "links": linkSecret.map { .compact(["secret": hide($0)]) } ?? .null,
      "outbox": outbox.map { ["directory": .string($0), "stands_in": .bool(outboxStandsIn)] } ?? .null,
    ])
  }
}

extension EventSettings {
  fileprivate var effective: JSON {
    let schedule: JSON =
      switch self.schedule {
      case .cron(let fields, let zone): .compact(["cron": .string(fields), "timezone": .text(zone)])
      case .every(let interval): ["every": .string(interval.description)]
      }
    return .compact([
      "name": .string(name), "description": .text(description), "tenant": .string(tenant), "schedule": schedule,
      "data_source": .compact([
        "connection": .string(source.connection), "table": .text(source.table), "query": .text(source.query),
        "date_column": .text(source.dateColumn),
        "dimensions": source.dimensions.isEmpty ? .null : .array(source.dimensions.map { .string($0) }),
        "metrics": .array(
          source.metrics.map {
            .compact(["column": .string($0.column), "alias": .string($0.alias), "aggregate": .text($0.aggregate)])
          }),
        "filter": .text(source.filter),
      ]),
      "checks": .array(
        checks.map { check in
          .object(
            [
              JSON.Member("name", .string(check.name)), JSON.Member("detector", .string(check.detector)),
              JSON.Member("metric", .text(check.metric)), JSON.Member("period", .string(check.period.rawValue)),
            ].filter { !$0.value.isNull }
              + check.parameters.sorted { $0.key < $1.key }.map { JSON.Member($0.key, $0.value.value) })
        }),
      "severities": .array(
        severities.map { ["severity": .string($0.severity.name), "condition": .string($0.condition)] }),
      "labels": labels.isEmpty
        ? .null : .object(labels.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }),
    ])
  }
}
