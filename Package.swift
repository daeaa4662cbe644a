// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "varve",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "varve", targets: ["varve"]),
    .executable(name: "benchmarks", targets: ["benchmarks"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // C libraries, through their C interface.
    .systemLibrary(
      name: "CZstd", pkgConfig: "libzstd",
      providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "CPCRE2", pkgConfig: "libpcre2-8",
      providers: [.apt(["libpcre2-dev"]), .brew(["pcre2"])]),
    .systemLibrary(
      name: "CEdit", pkgConfig: "libedit",
      providers: [.apt(["libedit-dev"]), .brew(["libedit"])]),
    .systemLibrary(name: "CMalloc"),
    .systemLibrary(name: "CFile"),

    // The house: arrows point from left to right in the README's map, never back.
    .target(name: "QueryLanguage"),
    .target(name: "Columnar"),
    .target(name: "LogStorage", dependencies: ["Columnar", "CZstd", "CZlib", "CFile"]),
    .target(
      name: "QueryEngine",
      dependencies: ["QueryLanguage", "Columnar", "LogStorage", "CPCRE2", "CMalloc"]),
    .executableTarget(
      name: "varve",
      dependencies: [
        "QueryLanguage", "Columnar", "LogStorage", "QueryEngine", "CEdit", "CMalloc",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(name: "benchmarks", dependencies: ["QueryEngine", "LogStorage", "Columnar"]),

    .target(name: "TestSupport", path: "Tests/TestSupport"),
    .testTarget(name: "QueryLanguageTests", dependencies: ["QueryLanguage", "TestSupport"]),
    .testTarget(name: "ColumnarTests", dependencies: ["Columnar", "TestSupport"]),
    .testTarget(
      name: "LogStorageTests",
      dependencies: ["LogStorage", "Columnar", "CZlib", "CZstd", "TestSupport"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "QueryEngineTests",
      dependencies: [
        "QueryEngine", "QueryLanguage", "LogStorage", "Columnar", "CMalloc", "TestSupport",
      ],
      exclude: ["Cases"]),
    .testTarget(name: "CommandTests", dependencies: ["TestSupport", "varve", "benchmarks"]),
  ]
)

// One rule book for every target of ours.
for target in package.targets where target.type != .system {
  target.swiftSettings = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
  ]
}
