import Bus
import Testing

@Suite struct DecoderTests {
  static func decode(_ frames: [[UInt8]]) -> Result<MessageDecoder.Body, MessageDecoder.Fault> {
    var decoder = MessageDecoder()
    decoder.begin()
    for frame in frames { frame.withUnsafeBytes { decoder.take($0) } }
    return decoder.end()
  }

  static func frames(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

  @Test func readsEveryForm() {
    let cases: [([[UInt8]], MessageDecoder.Body)] = [
      (
        Self.frames("TOCSIN1", "anomalies", "detector/a", "7", "{}", "garbage"),
        .anomalies(producer: "detector/a", sequence: 7, events: Frames(Self.frames("{}", "garbage")))
      ),
      (
        Self.frames("TOCSIN1", "anomalies", "a", "18446744073709551615", ""),
        .anomalies(producer: "a", sequence: .max, events: [[]])
      ),
      (Self.frames("TOCSIN1", "command", "r-1", "{}"), .command(requestID: "r-1", json: Array("{}".utf8))),
      (
        Self.frames("TOCSIN1", "ready", "w", "10", #"["email","slack"]"#),
        .ready(worker: "w", credit: 10, channels: ["email", "slack"])
      ),
      (Self.frames("TOCSIN1", "ready", "w", "0", "[]"), .ready(worker: "w", credit: 0, channels: [])),
      (Self.frames("TOCSIN1", "receipt", "w", "{}"), .receipt(worker: "w", json: Array("{}".utf8))),
      (Self.frames("TOCSIN1", "heartbeat", "w ü", "{}"), .heartbeat(name: "w ü", json: Array("{}".utf8))),
    ]
    for (frames, body) in cases { #expect(Self.decode(frames) == .success(body)) }
  }

  struct Bad: CustomTestStringConvertible, Sendable {
    var frames: [[UInt8]]
    var code: ErrorCode
    var says: String
    var testDescription: String { says }
    init(_ frames: [[UInt8]], _ code: ErrorCode = .malformed, says: String) {
      self.frames = frames
      self.code = code
      self.says = says
    }
  }

  static let bad: [Bad] = [
    Bad([], says: "missing"),
    Bad([[]], says: "REQ"),
    Bad(frames("", "TOCSIN1", "command", "1", "{}"), says: "REQ"),
    Bad(frames("hello"), says: "must be TOCSIN1"),
    Bad([[0xFF, 0xFE, 0x00, 0x07]], says: "must be TOCSIN1"),
    Bad(frames("TOCSIN2", "command", "1", "{}"), .version, says: "TOCSIN2"),
    Bad(frames("TOCSIN", "command", "1", "{}"), .version, says: "not spoken"),
    Bad(frames("TOCSIN1"), says: "missing"),
    Bad(frames("TOCSIN1", "explode"), says: "explode"),
    Bad(frames("TOCSIN1", "anomaliesx", "a", "1", "{}"), says: "unknown kind"),
    Bad(frames("TOCSIN1", "anomalies"), says: "anomalies <producer>"),
    Bad(frames("TOCSIN1", "anomalies", "a"), says: "anomalies <producer>"),
    Bad(frames("TOCSIN1", "anomalies", "a", "1"), says: "anomalies <producer>"),
    Bad(frames("TOCSIN1", "anomalies", "", "1", "{}"), says: "1 to 255"),
    Bad(frames("TOCSIN1", "anomalies", String(repeating: "n", count: 256), "1", "{}"), says: "1 to 255"),
    Bad(frames("TOCSIN1", "anomalies", "a\u{7}", "1", "{}"), says: "control"),
    Bad([Array("TOCSIN1".utf8), Array("anomalies".utf8), [0xC3, 0x28], [0x31], [0x7B, 0x7D]], says: "UTF-8"),
    Bad(frames("TOCSIN1", "anomalies", "a", "-1", "{}"), says: "decimal"),
    Bad(frames("TOCSIN1", "anomalies", "a", "", "{}"), says: "decimal"),
    Bad(frames("TOCSIN1", "anomalies", "a", " 1", "{}"), says: "decimal"),
    Bad(frames("TOCSIN1", "anomalies", "a", "18446744073709551616", "{}"), says: "decimal"),
    Bad(frames("TOCSIN1", "anomalies", "a", "99999999999999999999999", "{}"), says: "decimal"),
    Bad(frames("TOCSIN1", "command", "1"), says: "command <request id>"),
    Bad(frames("TOCSIN1", "command", "1", "{}", "{}"), says: "after its last"),
    Bad(frames("TOCSIN1", "ready", "w", "1"), says: "ready <worker>"),
    Bad(frames("TOCSIN1", "ready", "w", "many", "[]"), says: "credit"),
    Bad(frames("TOCSIN1", "ready", "w", "10001", "[]"), says: "10000"),
    Bad(frames("TOCSIN1", "ready", "w", "1", "{}"), says: "array"),
    Bad(frames("TOCSIN1", "ready", "w", "1", "[1]"), says: "texts"),
    Bad(frames("TOCSIN1", "ready", "w", "1", "not json"), says: "array"),
    Bad(frames("TOCSIN1", "receipt", "w"), says: "receipt <worker>"),
    Bad(frames("TOCSIN1", "heartbeat", "w", "{}", "x"), says: "after its last"),
    Bad(frames("TOCSIN1", "command", "1", String(repeating: "x", count: 1 << 20)), .too_large, says: "1048576 bytes"),
    Bad(
      frames("TOCSIN1", "anomalies", "a", "1") + Array(repeating: [0x7B, 0x7D], count: 10_001), .too_large,
      says: "10000 anomalies"),
  ]

  @Test(arguments: bad) func refuses(_ bad: Bad) throws {
    let result = Self.decode(bad.frames)
    let fault = try #require(throws: MessageDecoder.Fault.self) { try result.get() }
    #expect(fault.code == bad.code)
    #expect(fault.message.contains(bad.says), "\(fault.message)")
    #expect(fault.message.utf8.count < 300)
  }

  /// Garbage, and good messages with a frame changed, lost, doubled or out of place: an answer each time, and the next good one is read.
  @Test func survivesAnything() {
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = SplitMix(state: seed)
    let words = Self.frames(
      "TOCSIN1", "TOCSIN9", "anomalies", "command", "ready", "receipt", "heartbeat", "a", "1", "99", "{}", "[]", "")
    let good = Self.frames("TOCSIN1", "anomalies", "a", "1", "{}")
    var decoder = MessageDecoder()
    var read = 0
    for _ in 0..<20_000 {
      var frames: [[UInt8]] = good
      switch random.next() % 4 {
      case 0: frames = (0..<random.next() % 8).map { _ in words[Int(random.next() % UInt64(words.count))] }
      case 1:
        frames = (0..<random.next() % 5).map { _ in
          (0..<random.next() % 40).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        }
      case 2:
        let i = Int(random.next() % UInt64(frames.count))
        frames[i] = (0..<random.next() % 40).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      default: frames.remove(at: Int(random.next() % UInt64(frames.count)))
      }
      for message in [frames, good] {
        decoder.begin()
        for frame in message { frame.withUnsafeBytes { decoder.take($0) } }
        let result = decoder.end()
        if message == good {
          #expect(
            result == .success(.anomalies(producer: "a", sequence: 1, events: [[0x7B, 0x7D]])),
            "seed \(seed), after \(frames)")
        } else if case .success = result {
          read += 1
        }
      }
    }
    #expect(read > 100, "seed \(seed): the frames were all garbage, and prove little")
  }
}

/// SplitMix64, by Sebastiano Vigna: the same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
