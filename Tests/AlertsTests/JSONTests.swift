import Testing

@testable import Alerts

@Suite struct JSONTests {
  @Test(arguments: [
    "null", "true", "false", "0", "-1", "9223372036854775807", "1.5", "-0.25", #""""#, #""a\"b\\c""#, "[]", "{}",
    #"{"a":1,"b":[true,null,{"c":"d"}],"a":2}"#, #""ü€😀""#,
  ])
  func whatIsReadIsWrittenAsItWas(_ text: String) throws {
    #expect(try JSON(parsing: text).text == text)
  }

  @Test func spaceAndEscapesAreUnderstood() throws {
    #expect(try JSON(parsing: " [ 1 ,\n\t2 ] ") == [1, 2])
    #expect(try JSON(parsing: #""\u00fc\ud83d\ude00\n\/""#) == "ü😀\n/")
    #expect(try JSON(parsing: "1e3") == .number(1000))
    #expect(try JSON(parsing: "-0").double?.sign == .minus)
    #expect(try JSON(parsing: "12345678901234567890").double == 1.2345678901234567e19)
  }

  @Test(arguments: [
    "", " ", "nul", "tru", "01", "1.", ".5", "+1", "1e", "1e999", "-", "[1,]", "[1 2]", "[", "{", #"{"a"}"#, #"{"a":}"#,
    #"{"a":1,}"#, "{a:1}", #""abc"#, "\"a\u{1}\"", #""\x""#, #""\ud800""#, #""\udc00""#, #""\u12g4""#, "1 1", "NaN",
    "Infinity", "'a'", "[1]]",
  ])
  func whatIsNotJSONIsRefused(_ text: String) {
    #expect(throws: JSONError.self) { try JSON(parsing: text) }
  }

  @Test func invalidUTF8IsRefused() {
    #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0xFF, 0x22]) }
    #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0x5C, 0x6E, 0xC3, 0x22]) }
  }

  @Test func depthIsBounded() throws {
    let deep = { (n: Int) in String(repeating: "[", count: n) + String(repeating: "]", count: n) }
    _ = try JSON(parsing: deep(JSON.depthLimit))
    #expect(throws: JSONError.self) { try JSON(parsing: deep(JSON.depthLimit + 2)) }
    #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "[", count: 1_000_000)) }
  }

  @Test func numbersThatJSONCannotHoldAreNull() {
    #expect(JSON.number(Double.nan).text == "null")
    #expect(JSON.number(-Double.infinity).text == "null")
    #expect(JSON.number(1850.0).text == "1850")
    #expect(JSON.number(0.1).text == "0.1")
    #expect(JSON.int(Int64.min).text == "-9223372036854775808")
  }

  /// Bytes at random, and valid text with random damage: an answer each time, and never a trap.
  @Test func garbageIsAnswered() throws {
    var state: UInt64 = 42
    func next(_ n: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % n
    }
    let valid = Array(#"{"a":[1,-2.5e3,"x\u00e9\n"],"b":{"c":null,"d":true}}"#.utf8)
    var understood = 0
    for round in 0..<20_000 {
      var bytes = round % 2 == 0 ? valid : (0..<next(40)).map { _ in UInt8(next(256)) }
      if round % 2 == 0 { for _ in 0..<(1 + next(3)) { bytes[next(bytes.count)] = UInt8(next(256)) } }
      if let json = try? JSON(parsing: bytes) {
        understood += 1
        // Compared as text: 2.5e3 is read as a number and written as 2500.
        #expect(try JSON(parsing: json.bytes).bytes == json.bytes)
      }
    }
    #expect(understood > 100)
  }
}
