// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// Whether this system has all of these libraries as archives, which can become a part of a binary.
func hasArchives(_ names: [String]) -> Bool {
  #if os(Linux)
    let fixed = [
      "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib",
    ]
    // The C++ library belongs to a version of the compiler: /usr/lib/gcc/x86_64-linux-gnu/12.
    let compilers = ["x86_64-linux-gnu", "aarch64-linux-gnu", "x86_64-redhat-linux"].flatMap {
      let folder = "/usr/lib/gcc/\($0)"
      let versions = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return versions.map { "\(folder)/\($0)" }
    }
    return names.allSatisfy { name in
      (fixed + compilers).contains {
        FileManager.default.fileExists(atPath: "\($0)/lib\(name).a")
      }
    }
  #else
    false
  #endif
}

/// A C library: as a part of the binary where the system has it in that form, else shared.
func library(_ names: [String]) -> [LinkerSetting] {
  if hasArchives(names) { return names.map { .linkedLibrary(":lib\($0).a") } }
  return [.linkedLibrary(names[0])]
}

/// What pkg-config knows of a C library would link the shared one, so on Linux, where headers are found without it, it
/// is not asked.
func shared(_ module: String) -> String? {
  #if os(Linux)
    nil
  #else
    module
  #endif
}

/// The libraries that the terminal's line editor consists of, where it is no shared one.
let lineEditor = ["edit", "bsd", "md", "tinfo"]

/// A query is often answered in less time than a program of shared parts takes to be put together. So a release for
/// Linux is one binary with everything in it, where the system has the archives for that: from exec to the first
/// statement it takes a quarter of what shared parts take. Where it lacks some, the Swift runtime at least is a part
/// of the binary. The last two are parts of the runtime that only a build with --static-swift-stdlib would name.
let selfContained = LinkerSetting.unsafeFlags(
  (hasArchives(["c", "stdc++", "zstd", "z", "pcre2-8"] + lineEditor)
    ? ["-static-executable"] : ["-static-stdlib", "-Xclang-linker", "-no-pie"]) + [
      "-use-ld=lld", "-l_FoundationCollections", "-l_FoundationCShims",
    ],
  .when(platforms: [.linux], configuration: .release, traits: ["SelfContained"]))

let package = Package(
  name: "varve",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "varve", targets: ["varve"]),
    .executable(name: "benchmarks", targets: ["benchmarks"]),
  ],
  traits: [
    .trait(
      name: "SelfContained",
      description: "A release has the Swift runtime in itself; tests of a release cannot have it."),
    .default(enabledTraits: ["SelfContained"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // C libraries, through their C interface.
    .systemLibrary(
      name: "CZstd", pkgConfig: shared("libzstd"),
      providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: shared("zlib"),
      providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "CPCRE2", pkgConfig: shared("libpcre2-8"),
      providers: [.apt(["libpcre2-dev"]), .brew(["pcre2"])]),
    .systemLibrary(
      name: "CEdit", pkgConfig: shared("libedit"),
      providers: [.apt(["libedit-dev"]), .brew(["libedit"])]),
    .systemLibrary(name: "CMalloc"),
    .systemLibrary(name: "CFile"),

    // The house: arrows point from left to right in the README's map, never back.
    .target(name: "QueryLanguage"),
    .target(name: "Columnar"),
    .target(
      name: "LogStorage", dependencies: ["Columnar", "CZstd", "CZlib", "CFile"],
      linkerSettings: library(["zstd"]) + library(["z"])),
    .target(
      name: "QueryEngine",
      dependencies: ["QueryLanguage", "Columnar", "LogStorage", "CPCRE2", "CMalloc"],
      linkerSettings: library(["pcre2-8"])),
    .executableTarget(
      name: "varve",
      dependencies: [
        "QueryLanguage", "Columnar", "LogStorage", "QueryEngine", "CEdit", "CMalloc",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      linkerSettings: library(lineEditor) + [selfContained]),
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
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "TestSupport", "varve", "benchmarks",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
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
    // Kernels lie in other rooms than what calls them, and are to become one loop with it.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
  ]
}
