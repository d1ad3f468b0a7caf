import Alerts
import Bus
import Lifecycle

/// A producer keeps what it sent until it is stored, and sends again after a silence, less and less often.
struct Producer {
  struct Message {
    var events: [[UInt8]]
    /// How many of them fire, and how many nobody can read.
    var firing: Int
    var bad: Int
  }
  let name: String
  var sequence: UInt64 = 0
  var waiting: [UInt64: Message] = [:]
  var isTimed = false
  var silence = Producer.shortestSilence

  static let shortestSilence = Interval.seconds(30)
  static let longestSilence = Interval.minutes(10)
}

extension World {
  private static let services = ["db", "web", "mail", "mail", "shop"]
  private static let unreadable = [
    "{\"specversion\":", "[]", "{\"id\":\"x\"}", "\u{0}\u{1}", String(repeating: "[", count: 5000), "\"\\ud800\"",
    "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"tocsin.anomaly.v1\",\"data\":{\"event_type\":\"e\",\"metric\":\"m\",\"value\":1e999}}",
  ]

  func observe(_ p: Int, _ count: Int) {
    var message = Producer.Message(events: [], firing: 0, bad: 0)
    for _ in 0..<count {
      if draw.once(in: 40) {
        message.bad += 1
        message.events.append(Array(draw.pick(World.unreadable).utf8))
      } else {
        let isFiring = !draw.once(in: 4)
        if isFiring { message.firing += 1 }
        message.events.append(anomaly(producers[p].name, isFiring: isFiring, among: count > 1 ? 60 : 14))
      }
    }
    outcome.anomalies += count
    hand(p, message)
  }

  /// Keeps it until it is stored, and sends it.
  func hand(_ p: Int, _ message: Producer.Message) {
    producers[p].sequence += 1
    producers[p].waiting[producers[p].sequence] = message
    send(p, producers[p].sequence)
    watch(p)
  }

  private func anomaly(_ source: String, isFiring: Bool, among keys: Int) -> [UInt8] {
    nextAnomaly += 1
    let key = draw.below(keys)
    // Their machines have clocks of their own.
    var a = Anomaly(
      id: "\(nextAnomaly)", source: source, time: now + .seconds(Int64(draw.below(120) - 60)),
      eventType: key % 5 == 0 ? "views" : "sales", metric: "k\(key)")
    a.status = isFiring ? .firing : .resolved
    a.severity = Severity(name: draw.pick(["critical", "critical", "high", "high", "medium", "low"]))
    a.labels = [.init("service", World.services[key % World.services.count])]
    a.givenKey = "k\(key)"
    return a.cloudEvent
  }

  private func send(_ p: Int, _ sequence: UInt64) {
    guard let m = producers[p].waiting[sequence] else { return }
    let name = producers[p].name
    transmit(.anomalies(Peer(identity: Array(name.utf8)), producer: name, sequence: sequence, events: Frames(m.events)))
  }

  /// Sends again what was not answered.
  private func watch(_ p: Int) {
    guard !producers[p].isTimed, !producers[p].waiting.isEmpty else { return }
    producers[p].isTimed = true
    after(producers[p].silence) { world in
      world.producers[p].isTimed = false
      guard !world.producers[p].waiting.isEmpty else { return }
      world.producers[p].silence = min(world.producers[p].silence * 2, Producer.longestSilence)
      for sequence in world.producers[p].waiting.keys.sorted().prefix(64) { world.send(p, sequence) }
      world.watch(p)
    }
  }

  func wasStored(_ name: String, _ sequence: UInt64, _ json: JSON) {
    guard let p = producers.firstIndex(where: { $0.name == name }),
      let m = producers[p].waiting.removeValue(forKey: sequence)
    else { return }
    producers[p].silence = Producer.shortestSilence
    promises.wasStored(firing: m.firing)
    let rejected = mutation == .badInputIgnored ? 0 : json["rejected"]?.array?.count ?? 0
    if rejected != m.bad {
      promises.fail(8, "\(m.bad) of \(name)'s anomalies can't be read, and \(rejected) were rejected")
    }
  }
}
