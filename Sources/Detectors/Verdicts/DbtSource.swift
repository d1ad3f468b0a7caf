import Alerts
import Foundation

/// The folder that dbt leaves its results in: `target/`.
struct DbtSource: VerdictSource {
  let path: String
  let longestSilence: Interval?
  /// A manifest of ten thousand models is some 200 MiB.
  static let sizeLimit = 512 << 20

  func verdicts(since: Timestamp, now: Timestamp, timeout: Interval) async throws -> VerdictReading {
    try await BlockingWork.run(path, timeout: timeout) { _ in
      let results = try read("run_results.json")
      let freshness = try read("sources.json")
      guard results != nil || freshness != nil else {
        throw SourceError(
          .unreachable, "there is no run_results.json in \(path)",
          mend: "path is the target folder of a dbt project in which dbt has run")
      }
      // Asked once it is known that something is new: it is large.
      let newest = [results, freshness].compactMap { $0?["metadata"]?["generated_at"]?.timestamp }.max()
      if let newest, newest <= since { return VerdictReading(newest: newest) }
      return try DbtArtifacts(runResults: results, manifest: try read("manifest.json"), sources: freshness).reading
    }
  }

  /// Nil where there is none. dbt writes its files in place: one that is half written is read again at the next turn.
  private func read(_ name: String) throws -> JSON? {
    let file = "\(path)/\(name)"
    guard FileManager.default.fileExists(atPath: file) else { return nil }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw SourceError(.unreachable, "\(file) can't be read: may this user read it?")
    }
    guard data.count <= DbtSource.sizeLimit else {
      throw SourceError(.too_many_rows, "\(file) is larger than \(DbtSource.sizeLimit >> 20) MiB")
    }
    do { return try JSON(parsing: [UInt8](data)) } catch {
      throw SourceError(.unreachable, "\(file) is no JSON (is dbt writing it at the moment?): \(error)")
    }
  }
}
