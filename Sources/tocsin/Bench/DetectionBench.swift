import Alerts
import Detectors
import Foundation

/// What detecting costs on one core: streaming z-scores and `adaptive`, beside a pass over the memory and, where it is installed, beside pandas; the size of what is
/// kept of a series; and what a hundred thousand series by the minute take.
struct DetectionBench {
  /// Series of the fleet: each takes about 7 kB.
  let series: Int

  func run(_ table: inout BenchTable) {
    let points = DetectionBenchmark.series(1_000_000)
    let values = points.map(\.value)
    let many = (0..<20).flatMap { _ in values }
    var sum = 0.0
    let limit = Double(many.count) / best { sum += DetectionBenchmark.sums(many) }
    table.add("memory read by one core", String(format: "%.1f GB/s", limit * 8 / 1e9))
    var found = 0
    let z = Double(many.count) / best { found += DetectionBenchmark.zscores(many, window: 60) }
    table.add(
      "streaming z-score, 60 points", rate(z), limit: "\(rate(limit)) read only", ratio: z / limit)
    for (name, figure) in pandas() { table.add("  \(name)", rate(figure), limit: "\(rate(z)) here", ratio: figure / z) }
    let a = Double(points.count) / best { sum += DetectionBenchmark.adaptive(points) }
    table.add("adaptive", rate(a), limit: "1.0 M/s wanted", ratio: a / 1e6)

    let sizes = DetectionBenchmark.stateSizes(200, points: 5000)
    table.add(
      "adaptive's state, median", "\(sizes[sizes.count / 2]) bytes", limit: "8000 bytes allowed",
      ratio: Double(sizes[sizes.count / 2]) / 8000)
    let most = sizes.last ?? 0
    table.add("adaptive's state, largest", "\(most) bytes", limit: "25000 bytes allowed", ratio: Double(most) / 25_000)

    var fleet = SeriesFleet(series: series, past: 2000)
    found += fleet.round()
    let round = best { found += fleet.round() }
    // The memories are written every ten minutes.
    let writing = best(of: 1) { sum += Double(fleet.bytes()) } / 10
    let share = (round + writing) / 60 * 100_000 / Double(max(1, fleet.count))
    table.add(
      "100,000 series by the minute", String(format: "%.2f %% of a core", share * 100), limit: "5 % allowed",
      ratio: share / 0.05)
    for (name, cost) in DetectionBenchmark.costs(4000, clock: { body in best(of: 2, body) }) {
      table.add("  \(name), a point", cost < 10_000 ? "\(Int(cost)) ns" : String(format: "%.1f µs", cost / 1000))
    }
    if sum.isNaN, found < 0 { print("") }
  }

  private func rate(_ perSecond: Double) -> String { String(format: "%.1f M/s", perSecond / 1e6) }

  /// Seconds of processor time of the fastest of some runs: what others do on the machine meanwhile does not count.
  private func best(of n: Int = 3, _ body: () -> Void) -> Double {
    var least = Double.infinity
    for _ in 0..<n {
      let start = clock()
      body()
      least = min(least, Double(clock() - start) / Double(CLOCKS_PER_SEC))
    }
    return least
  }

  /// Rolling z-scores in pandas, and in a Python loop. Empty where there is no pandas.
  private func pandas() -> [(String, Double)] {
    let script = """
      import time, sys
      try:
        import numpy, pandas
      except ImportError:
        sys.exit(3)
      n = 3000000
      x = numpy.random.default_rng(1).normal(size=n)
      s = pandas.Series(x)
      best = 1e9
      for _ in range(3):
        t = time.process_time()
        r = s.rolling(60)
        z = (s - r.mean()) / r.std()
        best = min(best, time.process_time() - t)
      print("pandas rolling z", n / best)
      m, a, b, w = 300000, 0.0, 0.0, [0.0] * 60
      t = time.process_time()
      for i in range(m):
        v = float(x[i]); k = i % 60; o = w[k]; w[k] = v
        a += v - o; b += v * v - o * o
        d = (b - a * a / 60) / 59
        z = (v - a / 60) / d ** 0.5 if d > 0 else 0
      print("a Python loop", m / (time.process_time() - t))
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return [] }
    let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return said.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      return words.last.flatMap { Double($0) }.map { (words.dropLast().joined(separator: " "), $0) }
    }
  }
}
