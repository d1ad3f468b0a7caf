package import Alerts
import GRDB

/// Who runs which check, and how far the checks have come: what lets detectors on several machines share the work.
///
/// A lease is held in memory and lasts seconds; a worker that dies loses it by silence. What outlives everybody is the *state* that a worker leaves when
/// it has finished (how far each check has come, what fires): one text for each lease, with a version. A worker finishes by handing over the version
/// that it began with; if that is no longer the newest, somebody else has finished meanwhile, and nothing is taken. So two workers that both believe they hold a
/// lease (after a pause of the machine, or a restart of the service) can't both move a check forward.
package final class LeaseBook {
  /// Leases that are known; one for each event type.
  static let capacity = 100_000
  /// One part of a state, in bytes: what fits a message of the bus.
  package static let partBytes = 512 * 1024
  /// Parts of one state: 64 MiB, a few hundred thousand series that fire.
  static let partLimit = 128
  /// Parts that were put and are not written yet, of all workers together, in bytes. At the bound those are let go of whose worker has lost the lease.
  static let pendingBytes = 256 << 20
  /// What a part costs beside its text.
  static let partCost = 1024
  static let lengths = Interval.seconds(1)...Interval.minutes(10)

  private struct Holder {
    var name: String
    var until: Timestamp
  }
  private struct Pending {
    var holder: String
    var parts: [Int: String] = [:]
    var bytes: Int { parts.values.reduce(0) { $0 + $1.utf8.count + partCost } }
  }
  private let queue: DatabaseQueue
  private var holders: [String: Holder] = [:]
  private var pending: [String: Pending] = [:]
  /// Of ``pending`` and of what is ``finished``.
  private var waitingBytes = 0
  /// Finished in this round, to be written in one transaction.
  private var finished: [Finish] = []
  private struct Finish {
    var name: String
    var holder: String
    var slot: String
    var version: Int64
    var parts: [String]?
    var at: Timestamp
    var bytes: Int { (parts ?? []).reduce(0) { $0 + $1.utf8.count + partCost } }
  }

  /// `nil` keeps it in memory.
  package init(path: String?) throws {
    queue = try SideFile.open(
      path, label: "leases",
      schema: """
        CREATE TABLE IF NOT EXISTS leases (
          name TEXT PRIMARY KEY, version INTEGER NOT NULL, slot TEXT NOT NULL, holder TEXT NOT NULL, parts INTEGER NOT NULL,
          finished_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS lease_parts (
          name TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (name, part)) WITHOUT ROWID;
        """)
  }

  private struct Row {
    var version: Int64 = 0
    var slot = ""
    var holder = ""
    var parts = 0
    var finishedAt = Timestamp.epoch
  }

  private func row(_ name: String) throws -> Row {
    if let waiting = finished.last(where: { $0.name == name }) {
      return Row(
        version: waiting.version + 1, slot: waiting.slot, holder: waiting.holder, parts: waiting.parts?.count ?? 0,
        finishedAt: waiting.at)
    }
    return try queue.read { db in
      try GRDB.Row.fetchOne(db, sql: "SELECT * FROM leases WHERE name = ?", arguments: [name]).map {
        Row(
          version: $0["version"], slot: $0["slot"], holder: $0["holder"], parts: $0["parts"],
          finishedAt: Timestamp(microseconds: $0["finished_at"]))
      } ?? Row()
    }
  }

  /// Answers one request. What it changed is durable only after ``commit()``; send the answer then.
  package func answer(_ json: JSON, now: Timestamp) -> JSON {
    func refused(_ code: String, _ message: String) -> JSON {
      ["ok": false, "error": ["code": .string(code), "message": .string(message)]]
    }
    guard let name = json["name"]?.string, !name.isEmpty, name.utf8.count <= 1024,
      let holder = json["holder"]?.string, !holder.isEmpty, holder.utf8.count <= 255
    else { return refused("invalid", "a lease needs \"name\" and \"holder\"") }
    do {
      switch json["do"]?.string {
      case "take": return try take(name, holder, json, now)
      case "keep":
        guard holders[name]?.name == holder || !isHeld(name, now) else { return ["ok": true, "granted": false] }
        guard hold(name, holder, json, now) else { return refused("unavailable", LeaseBook.full) }
        return ["ok": true, "granted": true]
      case "put":
        guard let part = json["part"]?.int.flatMap({ Int(exactly: $0) }), (0..<LeaseBook.partLimit).contains(part),
          let text = json["text"]?.string, text.utf8.count <= LeaseBook.partBytes * 2
        else { return refused("invalid", "a part needs \"part\" below \(LeaseBook.partLimit) and \"text\"") }
        let bytes = text.utf8.count + LeaseBook.partCost
        if waitingBytes + bytes > LeaseBook.pendingBytes {
          for (name, p) in pending where holders[name]?.name != p.holder || !isHeld(name, now) { forgetParts(of: name) }
        }
        guard waitingBytes + bytes <= LeaseBook.pendingBytes else {
          return refused("unavailable", "too many states are on their way")
        }
        if pending[name]?.holder != holder {
          forgetParts(of: name)
          pending[name] = Pending(holder: holder)
        }
        let old = pending[name]?.parts.updateValue(text, forKey: part)
        waitingBytes += bytes - (old.map { $0.utf8.count + LeaseBook.partCost } ?? 0)
        return ["ok": true]
      case "finish": return try finish(name, holder, json, now)
      case "release":
        if holders[name]?.name == holder { holders[name] = nil }
        return ["ok": true]
      case "read":
        let part = json["part"]?.int ?? 0
        try commit()
        let row = try row(name)
        let text = try queue.read { db in
          try String.fetchOne(
            db, sql: "SELECT text FROM lease_parts WHERE name = ? AND part = ?", arguments: [name, part])
        }
        return .compact([
          "ok": true, "version": .int(row.version), "parts": .int(row.parts), "text": .text(text),
        ])
      default: return refused("invalid", "\"do\" is one of take, keep, put, finish, release, read")
      }
    } catch {
      return refused("unavailable", "the leases can't be read: \(error)")
    }
  }

  private func isHeld(_ name: String, _ now: Timestamp) -> Bool { holders[name].map { $0.until > now } ?? false }

  private func forgetParts(of name: String) { waitingBytes -= pending.removeValue(forKey: name)?.bytes ?? 0 }

  private static let full = "all \(capacity) leases are taken"

  /// False where there are as many as there may be.
  private func hold(_ name: String, _ holder: String, _ json: JSON, _ now: Timestamp) -> Bool {
    if holders[name] == nil, holders.count >= LeaseBook.capacity {
      holders = holders.filter { $0.value.until > now }
      guard holders.count < LeaseBook.capacity else { return false }
    }
    let asked = Interval.milliseconds(json["for_ms"]?.int ?? 30_000)
    let length = min(max(asked, LeaseBook.lengths.lowerBound), LeaseBook.lengths.upperBound)
    holders[name] = Holder(name: holder, until: now + length)
    return true
  }

  private func take(_ name: String, _ holder: String, _ json: JSON, _ now: Timestamp) throws -> JSON {
    if let other = holders[name], other.name != holder, other.until > now {
      return ["ok": true, "granted": false, "holder": .string(other.name), "until": .string(other.until.rfc3339)]
    }
    let row = try row(name)
    if let slot = json["slot"]?.string, !slot.isEmpty, slot == row.slot {
      return [
        "ok": true, "granted": false, "done": true, "holder": .string(row.holder),
        "finished_at": .string(row.finishedAt.rfc3339),
      ]
    }
    guard hold(name, holder, json, now) else {
      return ["ok": false, "error": ["code": "unavailable", "message": .string(LeaseBook.full)]]
    }
    return ["ok": true, "granted": true, "version": .int(row.version)]
  }

  private func finish(_ name: String, _ holder: String, _ json: JSON, _ now: Timestamp) throws -> JSON {
    let slot = json["slot"]?.string ?? ""
    let row = try row(name)
    defer {
      if pending[name]?.holder == holder { forgetParts(of: name) }
      if holders[name]?.name == holder { holders[name] = nil }
    }
    guard let version = json["version"]?.int else {
      return ["ok": false, "error": ["code": "invalid", "message": "finish needs \"version\""]]
    }
    // The same again, because the answer was lost.
    if row.version == version + 1, row.holder == holder, row.slot == slot {
      return ["ok": true, "version": .int(row.version)]
    }
    guard row.version == version else {
      return [
        "ok": false,
        "error": [
          "code": "stale_version",
          "message": .string("\(row.holder) has finished meanwhile: it is at version \(row.version)"),
        ],
      ]
    }
    var parts: [String]?
    if let count = json["parts"]?.int.flatMap({ Int(exactly: $0) }) {
      let put = pending[name].flatMap { $0.holder == holder ? $0.parts : nil } ?? [:]
      guard count == put.count, (0..<count).allSatisfy({ put[$0] != nil }) else {
        return [
          "ok": false, "error": ["code": "unavailable", "message": "parts of the state are missing: put them again"],
        ]
      }
      parts = (0..<count).map { put[$0] ?? "" }
    }
    let done = Finish(name: name, holder: holder, slot: slot, version: version, parts: parts, at: now)
    waitingBytes += done.bytes
    finished.append(done)
    return ["ok": true, "version": .int(version + 1)]
  }

  /// Writes what was finished, synced. Throws where that can't be done; it is then tried again with the next one.
  package func commit() throws {
    guard !finished.isEmpty else { return }
    let all = finished
    try queue.write { db in
      for f in all {
        try db.execute(
          sql: """
            INSERT INTO leases VALUES (:name, :version, :slot, :holder, :parts, :at) ON CONFLICT (name) DO UPDATE SET
            version = excluded.version, slot = excluded.slot, holder = excluded.holder, finished_at = excluded.finished_at,
            parts = CASE WHEN :keep THEN parts ELSE excluded.parts END
            """,
          arguments: [
            "name": f.name, "version": f.version + 1, "slot": f.slot, "holder": f.holder, "parts": f.parts?.count ?? 0,
            "at": f.at.microseconds, "keep": f.parts == nil,
          ])
        guard let parts = f.parts else { continue }
        try db.execute(sql: "DELETE FROM lease_parts WHERE name = ?", arguments: [f.name])
        for (i, text) in parts.enumerated() {
          try db.execute(sql: "INSERT INTO lease_parts VALUES (?, ?, ?)", arguments: [f.name, i, text])
        }
      }
    }
    waitingBytes -= all.reduce(0) { $0 + $1.bytes }
    finished = []
  }
}
