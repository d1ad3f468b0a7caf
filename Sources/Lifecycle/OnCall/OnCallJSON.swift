import Alerts

// People, schedules and hours as the log keeps them, in a `configured` event.

extension Person {
  var json: JSON {
    .compact([
      "name": .string(name), "email": .text(email), "slack": .text(slack), "phone": .text(phone),
      "pagerduty": .text(pagerduty), "channels": .texts(channels),
    ])
  }
  init?(json: JSON) {
    guard let name = json["name"]?.string else { return nil }
    self.init(name: name, channels: json.texts("channels"))
    email = json["email"]?.string
    slack = json["slack"]?.string
    phone = json["phone"]?.string
    pagerduty = json["pagerduty"]?.string
  }
}

extension TimeWindow {
  var json: JSON {
    [
      "weekdays": .array(weekdays.map { .int($0) }), "from": .int(from), "until": .int(until),
      "timezone": .string(timeZone),
    ]
  }
  init(json: JSON) {
    self.init(
      weekdays: (json["weekdays"]?.array ?? []).compactMap { $0.int.map { Int($0) } },
      from: Int(json["from"]?.int ?? 0),
      until: Int(json["until"]?.int ?? 0), timeZone: json["timezone"]?.string ?? "UTC")
  }
}

extension StepHours {
  var json: JSON { ["windows": .array(windows.map(\.json)), "otherwise": .string(otherwise.rawValue)] }
  init(json: JSON) {
    self.init(
      windows: (json["windows"]?.array ?? []).map { TimeWindow(json: $0) },
      otherwise: json["otherwise"]?.string.flatMap { Otherwise(rawValue: $0) } ?? .skip)
  }
}

extension OnCallSchedule {
  var json: JSON {
    .compact([
      "name": .string(name), "timezone": .string(timeZone), "layers": .array(layers.map(\.json)),
      "overrides": .list(
        overrides.map {
          [
            "person": .string($0.person), "from_us": .int($0.from.microseconds),
            "until_us": .int($0.until.microseconds),
          ]
        }),
    ])
  }
  init?(json: JSON) {
    guard let name = json["name"]?.string else { return nil }
    self.init(
      name: name, timeZone: json["timezone"]?.string ?? "UTC",
      layers: (json["layers"]?.array ?? []).map { Layer(json: $0) },
      overrides: (json["overrides"]?.array ?? []).map {
        Override(
          person: $0["person"]?.string ?? "", from: Timestamp(microseconds: $0["from_us"]?.int ?? 0),
          until: Timestamp(microseconds: $0["until_us"]?.int ?? 0))
      })
  }
}

extension OnCallSchedule.Layer {
  var json: JSON {
    var members: [JSON.Member] = []
    switch turns {
    case .rotation(let r): members.append(.init("rotation", r.json))
    case .calendar(let events): members.append(.init("calendar", .array(events.map(\.json))))
    }
    if !windows.isEmpty { members.append(.init("windows", .array(windows.map(\.json)))) }
    return .object(members)
  }
  init(json: JSON) {
    let windows = (json["windows"]?.array ?? []).map { TimeWindow(json: $0) }
    if let calendar = json["calendar"]?.array {
      self.init(.calendar(calendar.map { CalendarEvent(json: $0) }), windows: windows)
    } else {
      self.init(.rotation(Rotation(json: json["rotation"] ?? .null)), windows: windows)
    }
  }
}

extension Rotation {
  var json: JSON {
    let length: JSON =
      switch self.length {
      case .daily: "daily"
      case .weekly: "weekly"
      case .every(let interval): .int(interval.microseconds)
      }
    return .compact([
      "length": length, "weekday": weekday.map { .int($0) } ?? .null, "minute_of_day": .int(minuteOfDay),
      "start_day": .int(startDay), "end_day": endDay.map { .int($0) } ?? .null, "people": .texts(people),
    ])
  }
  init(json: JSON) {
    let length: Length =
      switch json["length"] {
      case let length? where length.int != nil: .every(Interval(microseconds: length.int ?? 0))
      case "daily"?: .daily
      default: .weekly
      }
    self.init(
      length, weekday: json["weekday"]?.int.map { Int($0) }, minuteOfDay: Int(json["minute_of_day"]?.int ?? 540),
      startDay: json["start_day"]?.int ?? 4, endDay: json["end_day"]?.int, people: json.texts("people"))
  }
}

extension CalendarEvent {
  var json: JSON {
    .compact([
      "person": .string(person), "start": start.json, "end": end.json, "timezone": .string(timeZone),
      "recurrence": recurrence.map { r in
        .compact([
          "every": .int(r.every), "weekdays": r.weekdays.map { .array($0.map { .int($0) }) } ?? .null,
          "week_start": .int(r.weekStart), "last": r.last?.json ?? .null, "except": .list(r.except.map(\.json)),
        ])
      } ?? .null,
    ])
  }
  init(json: JSON) {
    self.init(
      person: json["person"]?.string ?? "", start: LocalTime(json: json["start"]), end: LocalTime(json: json["end"]),
      timeZone: json["timezone"]?.string ?? "UTC",
      recurrence: json["recurrence"].map { r in
        Recurrence(
          every: Int(r["every"]?.int ?? 1),
          weekdays: r["weekdays"]?.array?.compactMap { $0.int.map { Int($0) } },
          weekStart: Int(r["week_start"]?.int ?? 1), last: r["last"].map { LocalTime(json: $0) },
          except: (r["except"]?.array ?? []).map { LocalTime(json: $0) })
      })
  }
}

extension LocalTime {
  /// The day, and the microseconds into it.
  fileprivate var json: JSON { [.int(day), .int(microseconds)] }
  fileprivate init(json: JSON?) {
    let parts = (json?.array ?? []).compactMap(\.int)
    self.init(day: parts.first ?? 0, microseconds: parts.count > 1 ? parts[1] : 0)
  }
}
