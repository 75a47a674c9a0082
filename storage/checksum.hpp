#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/frame.hpp"

namespace gelombang::storage {

/// CRC-32C (Castagnoli, reflected, as in iSCSI, RFC 3720 appendix B.4) of `bytes`; `before` is the
/// checksum of what stands before them, 0 for nothing.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

/// SHA-256 (FIPS 180-4) of `bytes`.
digest sha256(std::string_view bytes);

/// SHA-256 of bytes that come in pieces.
class sha256_stream {
public:
  sha256_stream();
  void add(std::string_view bytes);
  digest finish();

private:
  // Room for OpenSSL's SHA256_CTX (checked where it is known), whose header stays out of this one.
  alignas(8) unsigned char context_[112];
};

/// Lower-case hexadecimal digits.
std::string to_hex(const digest& value);

}  // namespace gelombang::storage
