import Alerts
import Foundation
import Testing

@testable import Notifiers

@Suite struct OutboxTests {
  @Test("one file a message, named by time and key; the same key again replaces it")
  func files() async throws {
    let directory = try temporaryDirectory() + "/outbox"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let outbox = Outbox(directory: directory)
    let email = Samples.job("email", to: "a@x.org")
    let slack = Samples.job("slack", to: "#data/../alerts")
    let mail = try EmailChannel(nil).render(email, now: Samples.now)
    let message = try SlackChannel(nil).render(slack, now: Samples.now)
    try await outbox.write(mail, for: email, now: Samples.now)
    try await outbox.write(message, for: slack, now: Samples.now)
    try await outbox.write(message, for: slack, now: Samples.now + .minutes(1))
    let names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    #expect(names.count == 2)
    #expect(names.allSatisfy { $0.hasPrefix("20261118T") && !$0.contains("/") })
    let eml = try #require(names.first { $0.hasSuffix(".eml") })
    #expect(try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(eml)")) == Data(mail.parts[0].body))
    let file = try #require(names.first { $0.hasSuffix(".json") })
    let json = try JSON(parsing: String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8))
    #expect(json["channel"]?.string == "slack")
    #expect(json["destination"]?.string == "#data/../alerts")
    #expect(json["purpose"]?.string == "firing")
    #expect(json["key"]?.string == slack.key)
    #expect(json["at"]?.timestamp == Samples.now + .minutes(1))
    #expect(json["requests"]?[0]?["action"]?.string == "chat.postMessage")
    #expect(json["requests"]?[0]?["body"]?.bytes == message.parts[0].body)
  }

  @Test("keys that are made safe into the same name stay two files")
  func distinct() {
    let a = Outbox.fileName(Samples.job("slack", to: "x", key: "k/1"), form: .json)
    let b = Outbox.fileName(Samples.job("slack", to: "x", key: "k#1"), form: .json)
    #expect(a != b)
    #expect(a.split(separator: "-").dropLast() == b.split(separator: "-").dropLast())
  }

  @Test("a folder that can't be written is an error that names it")
  func unwritable() async throws {
    let outbox = Outbox(directory: "/proc/no/such/place")
    let job = Samples.job("slack", to: "#x")
    let message = try SlackChannel(nil).render(job, now: Samples.now)
    await #expect(throws: (any Error).self) { try await outbox.write(message, for: job, now: Samples.now) }
  }

  @Test("beyond its limit the oldest go")
  func prune() throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    for i in 0..<10 { _ = FileManager.default.createFile(atPath: "\(directory)/2026-\(i).json", contents: nil) }
    _ = FileManager.default.createFile(atPath: "\(directory)/notes.txt", contents: nil)
    Outbox.prune(directory, keep: 3)
    let left = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    #expect(left == ["2026-7.json", "2026-8.json", "2026-9.json", "notes.txt"])
  }
}
