// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: the language's own strictest mode, and no warning left standing.
/// Deprecations stay warnings, so that a newer toolchain still builds an older Tocsin.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
  .treatWarning("DeprecatedDeclaration", as: .warning),
]

let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
/// SQLite's C interface, as GRDB links it: for the two loops where a box for each value would cost too much.
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")

func part(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

let package = Package(
  name: "tocsin",
  products: [.executable(name: "tocsin", targets: ["tocsin"])],
  dependencies: [
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // C libraries: a module map, and a shim for what Swift can't call.
    .systemLibrary(name: "CZeroMQ", pkgConfig: "libzmq", providers: [.apt(["libzmq3-dev"])]),
    .systemLibrary(
      name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CCairo", providers: [.apt(["libcairo2-dev"])]),
    .systemLibrary(name: "CPostgres", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CODBC", providers: [.apt(["unixodbc-dev"])]),
    .systemLibrary(name: "CMemory"),

    // The house, from the inside out.
    part("Alerts", ["CMemory"]),
    // Where tests kill a process; see docs/operations.md.
    part("CrashPoints", []),
    part("Lifecycle", ["Alerts", heap]),
    part("EventLog", ["Alerts", "CrashPoints", grdb, sqlite, logging, crypto]),
    part("Bus", ["Alerts", "CrashPoints", "CZeroMQ", grdb, logging]),
    part(
      "Service",
      ["Alerts", "CrashPoints", "Lifecycle", "EventLog", "Bus", "CMemory", grdb, logging, crypto, collections, heap]),
    part("Simulation", ["Alerts", "Lifecycle", "EventLog", "Bus", "Service", "Projections", heap, logging]),
    part("Detectors", ["Alerts", "CrashPoints", "Bus", "CCurl", "CPostgres", "CODBC", grdb, logging]),
    part("Notifiers", ["Alerts", "CrashPoints", "Bus", "CCurl", "CCairo", mustache, logging, crypto]),
    part("Projections", ["Alerts", "CrashPoints", "EventLog", grdb, sqlite, mustache, logging]),
    part(
      "Console",
      [
        "Alerts", "Bus", "EventLog", "Projections", mustache, logging, crypto,
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    // Its module has a longer name than its folder: a package that Hummingbird needs has taken the short one.
    .target(
      name: "TocsinConfiguration",
      dependencies: [
        "Alerts", "Lifecycle", "Bus", "Service", "Detectors", "Notifiers", "Projections", "Console",
        crypto, .product(name: "Yams", package: "Yams"),
      ],
      path: "Sources/Configuration", swiftSettings: settings),
    .executableTarget(
      name: "tocsin",
      dependencies: [
        "Alerts", "Lifecycle", "EventLog", "Bus", "Service", "Simulation", "Detectors", "Notifiers",
        "Projections", "Console", "TocsinConfiguration", "CMemory", logging, grdb, sqlite, crypto,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: settings),

    tests("AlertsTests", ["Alerts"]),
    tests("LifecycleTests", ["Alerts", "Lifecycle", "Projections"]),
    tests("EventLogTests", ["Alerts", "EventLog", grdb], resources: [.copy("Samples")]),
    tests("BusTests", ["Alerts", "Bus"]),
    tests(
      "ServiceTests",
      ["Alerts", "CrashPoints", "Lifecycle", "EventLog", "Bus", "Service", "Projections", grdb, sqlite, logging]),
    tests("SimulationTests", ["Alerts", "Lifecycle", "Simulation"]),
    tests(
      "DetectorsTests", ["Alerts", "Bus", "Service", "Detectors", grdb],
      resources: [.copy("Servers"), .copy("Samples")]),
    tests("NotifiersTests", ["Alerts", "Lifecycle", "Bus", "Notifiers"], resources: [.copy("Servers")]),
    tests("ProjectionsTests", ["Alerts", "EventLog", "Projections", grdb]),
    tests(
      "ConsoleTests",
      [
        "Alerts", "Bus", "EventLog", "Projections", "Console", logging, crypto,
        .product(name: "HummingbirdTesting", package: "hummingbird"),
      ]),
    tests(
      "ConfigurationTests",
      ["Alerts", "Lifecycle", "Detectors", "Notifiers", "Projections", "Console", "TocsinConfiguration"]),
    tests("ScenarioTests", ["Alerts", "Bus", "EventLog", "tocsin", grdb]),
  ],
  swiftLanguageModes: [.v6]
)
