import Alerts
import Bus
import Foundation
import Testing

/// Everything that reads what others send, given valid messages that were changed at random: an answer each time, never a trap, and what is accepted is written
/// and read again as the same.
///
/// For a few seconds in every run of the tests. By hand for longer, and from a seed that a failure has printed:
/// `TOCSIN_FUZZ_SECONDS=3600 TOCSIN_FUZZ_SEED=7 swift test --filter FuzzTests`
@Suite struct FuzzTests {
  private static let seconds = Double(ProcessInfo.processInfo.environment["TOCSIN_FUZZ_SECONDS"] ?? "") ?? 3
  private static let seed =
    UInt64(ProcessInfo.processInfo.environment["TOCSIN_FUZZ_SEED"] ?? "") ?? UInt64.random(in: 0..<1_000_000)
  private static let now = Timestamp(rfc3339: "2026-11-20T06:02:11Z")!

  private static let texts = [
    #"{"specversion":"1.0","id":"2026-11-20/a","source":"detector/1","type":"tocsin.anomaly.v1","time":"2026-11-20T06:02:11Z","data":{"tenant":"default","event_type":"listing_views","metric":"total_views","dimensions":{"device":"mobile","n":7},"status":"firing","severity":"critical","detector":"zscore","window":{"start":"2026-11-19T00:00:00Z","end":"2026-11-20T00:00:00Z"},"value":245,"expected":1850.5,"lower":-1e-3,"upper":2.2E+3,"deviation":-0.868,"score":0.93,"summary":"fell \u00e4 \ud83d\ude00 87% \"below\"\n","labels":{"team":"bi"},"explanation":{"spend":0.45},"root_causes":[{"entity":"c/45","score":0.8}],"links":{"runbook":"https://x"},"dedup_key":null}}"#,
    #"{"command":"acknowledge","alert":"A-1042","by":"ana","note":"looking","version":7}"#,
    #"{"command":"snooze","alert":"A-1","by":"ana","for":"1h30m"}"#,
    #"{"command":"silence","by":"ana","matchers":[{"name":"device","value":"mob.*","isRegex":true,"isEqual":false}],"starts_at":"2026-11-20T07:00:00Z","ends_at":"2026-11-20T09:00:00+01:00"}"#,
    #"{"command":"digest","by":"x","key":"digest/weekly","receiver":"team","content":{"text":"…"}}"#,
    #"{"command":"wanted","key":"A-1/firing/2/team/email/x","by":"n"}"#,
    #"{"key":"A-1/firing/2/team/email/x","attempt":1,"outcome":"retry","status":503,"message":"no","retry_after_us":1000000,"outcome_unknown":true,"latency_us":5,"provider":{"ts":"1.2"}}"#,
    #"{"key":"A-1/firing/2/t/email/x","subject":"A-1","purpose":"firing","receiver":"t","channel":"email","destination":"x","attempt":1,"requested_at":"2026-11-20T06:02:11Z","lease_until":"2026-11-20T06:03:11Z"}"#,
    #"["email","slack",null,true,false,-0,0.1e10,"\u0000\\\/\b\f\n\r\t",[[[]]],{}]"#,
  ].map { Array($0.utf8) }

  /// Pieces that readers of such texts are known to fall over.
  private static let pieces: [[UInt8]] =
    [
      "\"", "\\", "\\u", "\\ud800", "\\udc00\\ud800", "{", "}", "[", "]", ",", ":", "-", "e", ".", "1e999", "-1e-999",
      "9223372036854775808",
      "-9223372036854775809", "18446744073709551616", "0.00000000000000000000000000000001", "NaN", "Infinity", "nul",
      "\u{0}", "\u{7f}", "\u{feff}", "é", "\u{10ffff}",
      "0001-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "2026-02-30T25:61:61+99:99", "99999999999999999999d", "1e9h",
      "A-", "A-0", "A--1",
      "A-99999999999999999999", "S-7", "\"data\":{", "null",
    ].map { Array($0.utf8) } + [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80]]

  @Test(.timeLimit(.minutes(60 * 24))) func nothingThatIsSentIsATrap() throws {
    var draw = SplitMix(state: FuzzTests.seed)
    let end = ContinuousClock.now + .seconds(FuzzTests.seconds)
    var count = 0
    var read = 0
    repeat {
      // The clock is asked now and then.
      for _ in 0..<200 {
        count += 1
        let text = FuzzTests.changed(&draw)
        if FuzzTests.take(text, &draw) { read += 1 }
      }
    } while ContinuousClock.now < end
    print("fuzz: \(count) texts in \(FuzzTests.seconds) s, \(read) of them read, seed \(FuzzTests.seed)")
    #expect(read > count / 100, "seed \(FuzzTests.seed): what was sent was all garbage, and proves little")
    #expect(read < count, "seed \(FuzzTests.seed): nothing was changed")
  }

  private static func changed(_ draw: inout SplitMix) -> [UInt8] {
    var text = texts[below(texts.count, &draw)]
    for _ in 0..<below(6, &draw) {
      let i = below(text.count + 1, &draw)
      let j = min(text.count, i + below(20, &draw))
      switch below(8, &draw) {
      case 0 where i < text.count: text[i] = UInt8(truncatingIfNeeded: draw.next())
      case 1: text.removeSubrange(i..<j)
      case 2: text.insert(contentsOf: text[i..<j], at: i)
      case 3: text.insert(contentsOf: pieces[below(pieces.count, &draw)], at: i)
      case 4: text.replaceSubrange(i..<j, with: pieces[below(pieces.count, &draw)])
      case 5: text = Array(text[..<i])
      case 6: text.insert(contentsOf: Array(repeating: UInt8(ascii: "["), count: below(200, &draw)), at: i)
      default:
        let other = texts[below(texts.count, &draw)]
        let k = below(other.count, &draw)
        text.replaceSubrange(i..<j, with: other[k..<min(other.count, k + 30)])
      }
    }
    return text
  }

  /// Gives a text to every reader. True if any could read it as what it was meant to be.
  private static func take(_ text: [UInt8], _ draw: inout SplitMix) -> Bool {
    func where_() -> Comment { "seed \(seed): \(String(decoding: text, as: UTF8.self))" }
    var isRead = false
    if case .success(let anomaly) = Anomaly.parse(text, now: now) {
      isRead = true
      // As this process would write it, it is the same.
      var own = anomaly
      own.raw = nil
      let again = Anomaly.parse(own.cloudEvent, now: now)
      if case .success(var back) = again {
        back.raw = nil
        #expect(back.dedupKey == own.dedupKey && back.id == own.id && back.value == own.value, where_())
      } else {
        Issue.record(where_())
      }
      _ = anomaly.label("device")
    }
    if let json = try? JSON(parsing: text) {
      #expect((try? JSON(parsing: json.bytes)) != nil, where_())
      if let command = try? Command(json: json, now: now) {
        isRead = true
        _ = command.json.bytes
      }
      if let receipt = try? Receipt(json: json) { isRead = isRead || receipt.json.bytes.count > 0 }
      if let job = try? Job(json: json) { isRead = isRead || job.json.bytes.count > 0 }
      _ = try? RecordedEvent(cloudEvent: json)
      _ = try? AlertSummary(json: json)
      _ = try? Reply(json: json)
    }
    var decoder = MessageDecoder()
    decoder.begin()
    let kinds = ["anomalies", "command", "ready", "receipt", "heartbeat", "x"]
    var frames: [[UInt8]] = ["TOCSIN1", kinds[below(kinds.count, &draw)], "n", "\(draw.next())"].map { Array($0.utf8) }
    if below(2, &draw) == 0 { frames.removeLast() }
    if below(8, &draw) == 0 { frames.remove(at: below(frames.count, &draw)) }
    for frame in frames + [text] { frame.withUnsafeBytes { decoder.take($0) } }
    if case .failure(let fault) = decoder.end() { #expect(fault.message.utf8.count < 400, where_()) }
    return isRead
  }

  private static func below(_ n: Int, _ draw: inout SplitMix) -> Int { Int(draw.next() % UInt64(max(1, n))) }
}
