import Alerts
import ArgumentParser
import Detectors
import Foundation

/// `tocsin sample`: a small warehouse to try everything on.
struct SampleVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample", abstract: "Makes a small warehouse with a year of data, and incidents in it.",
    discussion: """
      Writes an SQLite database of listing statistics, shop events and customers' usage, and beside it the list of what went
      wrong in it, as JSON lines. The same seed and date give the same rows.
      """)

  @ArgumentParser.Option(help: "The database to write.") var output = "data/warehouse.sqlite"
  @ArgumentParser.Option(help: "The first day that is not in it any more, such as 2026-11-20 (today).") var ending:
    String?
  @ArgumentParser.Option(help: "What the numbers are made from.") var seed: UInt64 = 7
  @ArgumentParser.Option(help: "Also draw what each detector finds in it, as PNG files in this folder.")
  var pictures: String?
  @Flag(help: "Print what was written as one JSON document.") var json = false

  func validate() throws {
    if let ending, Timestamp(rfc3339: ending) == nil {
      throw ValidationError("--ending must be a date such as 2026-11-20, not \"\(ending)\"")
    }
  }

  func run() async throws {
    let now = wallClock()
    let end = ending.flatMap { Timestamp(rfc3339: $0) } ?? now
    let warehouse = SampleWarehouse(seed: seed, end: end)
    let url = URL(fileURLWithPath: output)
    let labels = url.deletingPathExtension().path + "-incidents.jsonl"
    let counts: SampleWarehouse.Counts
    do {
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      counts = try warehouse.write(to: url.path)
      try warehouse.incidentLines.write(toFile: labels, atomically: true, encoding: .utf8)
    } catch {
      FileHandle.standardError.write(Data("\(output) can't be written: \(error)\n".utf8))
      throw ExitCode.failure
    }
    var drawn: [String] = []
    if let pictures {
      do {
        drawn = try await DetectorPictures(
          warehouse: warehouse, path: url.path, end: Timestamp(seconds: end.utcDay.days * 86_400)
        ).write(into: pictures)
      } catch {
        FileHandle.standardError.write(Data("the pictures can't be drawn: \(error)\n".utf8))
        throw ExitCode.failure
      }
    }
    if json {
      let document: JSON = [
        "database": .string(output), "incidents_file": .string(labels), "seed": .int(Int64(bitPattern: seed)),
        "ending": .string(end.utcDate), "listings": .int(counts.listings), "shop": .int(counts.shop),
        "usage": .int(counts.usage), "incidents": .int(counts.incidents),
        "pictures": .array(drawn.map { .string($0) }),
      ]
      print(document.pretty)
    } else {
      print(
        "\(output): \(counts.listings) rows of listings, \(counts.shop) of shop events, \(counts.usage) of usage, until \(end.utcDate)"
      )
      print("\(labels): the \(counts.incidents) incidents in them")
      if let pictures { print("\(pictures): \(drawn.count) pictures, \(drawn.joined(separator: ", "))") }
    }
  }
}
