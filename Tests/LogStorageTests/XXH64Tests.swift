import CZstd
import TestSupport
import Testing

@testable import LogStorage

@Suite("XXH64")
struct ChecksumTests {
  /// The buffer of the reference implementation's self test.
  private static let sanity: [UInt8] = {
    var generator: UInt32 = 2_654_435_761
    return (0..<222).map { _ in
      defer { generator = generator &* generator }
      return UInt8(truncatingIfNeeded: generator >> 24)
    }
  }()

  private static let vectors: [(length: Int, seed0: UInt64, seedPrime: UInt64)] = [
    (0, 0xEF46_DB37_51D8_E999, 0xAC75_FDA2_929B_17EF),
    (1, 0x4FCE_394C_C889_52D8, 0x7398_40CB_819F_A723),
    (3, 0x63E1_9DE8_A523_09F9, 0x16FF_BA65_774B_AE68),
    (4, 0x9256_E58A_A397_AEF1, 0x09D5_FFDF_B928_AB4B),
    (8, 0xF74C_B145_1B32_B8CF, 0x9C44_B77F_BCC3_02C5),
    (14, 0xCFFA_8DB8_81BC_3A3D, 0x5B96_1158_5EFC_C9CB),
    (31, 0xAD09_D9A6_941D_D847, 0x9C90_D9D9_C2E3_D340),
    (32, 0xAF57_53D3_9159_EDEE, 0xDCAB_9233_B8CA_7B0F),
    (33, 0x6711_CBDD_8543_BAA8, 0x66E9_CECF_2F1D_E71C),
    (63, 0xFF44_10E1_7CE1_1EFA, 0x7F71_5F51_D0F2_6050),
    (101, 0x0EAB_5433_84F8_78AD, 0xCAA6_5939_306F_1E21),
    (222, 0x9DD5_0788_0DEB_B03D, 0xDC51_5172_B8EE_0600),
  ]

  @Test("gives the digests of the reference implementation, with and without seed")
  func reference() {
    for vector in Self.vectors {
      let bytes = Array(Self.sanity[..<vector.length])
      #expect(XXH64.hash(bytes) == vector.seed0)
      #expect(XXH64.hash(bytes, seed: 2_654_435_761) == vector.seedPrime)
    }
    #expect(XXH64.hash(Array("abc".utf8)) == 0x44BC_2CF5_AD77_0999)
  }

  @Test("does not depend on how the bytes come in pieces")
  func streaming() {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<300 {
      let bytes = (0..<Int.random(in: 0...300, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      let seed = random.next()
      var checksum = XXH64(seed: seed)
      var start = 0
      while start < bytes.count {
        let end = Int.random(in: start...bytes.count, using: &random)
        bytes.withUnsafeBytes { checksum.update(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
        #expect(checksum.value == XXH64.hash(Array(bytes[..<end]), seed: seed))
        start = end
      }
      #expect(checksum.value == XXH64.hash(bytes, seed: seed))
    }
  }

  @Test("agrees with the checksum that libzstd writes at the end of its frames")
  func zstdFrames() {
    for length in [0, 1, 7, 31, 32, 33, 100, 4_096, 70_001] {
      let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 131 ^ ($0 >> 7)) }
      let context = ZSTD_createCCtx()
      defer { ZSTD_freeCCtx(context) }
      ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
      var frame = [UInt8](repeating: 0, count: ZSTD_compressBound(length))
      let size = ZSTD_compress2(context, &frame, frame.count, bytes, length)
      let low = frame[(size - 4)..<size].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      #expect(UInt32(truncatingIfNeeded: XXH64.hash(bytes)) == low)
    }
  }
}

@Suite("SHA-256")
struct SHA256Tests {
  private func hex(_ digest: [UInt8]) -> String {
    digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  @Test(
    "gives the digests of FIPS 180-4",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func vectors(_ text: String, _ expected: String) {
    #expect(hex(SHA256.hash(Array(text.utf8))) == expected)
  }

  @Test("gives the digest of FIPS 180-4 for a million letters")
  func million() {
    let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    #expect(hex(SHA256.hash([UInt8](repeating: 0x61, count: 1_000_000))) == expected)
  }

  @Test("does not depend on how the bytes come in pieces")
  func streaming() {
    var random = SeededGenerator(seed: 12)
    for length in 0...200 {
      let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      var hash = SHA256()
      var start = 0
      while start < length {
        let end = Int.random(in: (start + 1)...length, using: &random)
        bytes.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
        start = end
      }
      #expect(hash.digest == SHA256.hash(bytes))
    }
  }
}
