// An archive of arbitrary bytes. The first byte says whether its checksums are made to hold, so
// that the code behind them is reached as well.
#include "tests/fuzz/storage_fuzz.hpp"

namespace {

using namespace gelombang::storage;

constexpr std::size_t header_bytes = 64;

std::string repaired(std::string archive) {
  if (archive.size() < header_bytes + block_trailer_bytes) return archive;
  const auto header = std::string_view(archive).substr(0, header_bytes - 4);
  testing::put_number(archive, header_bytes - 4, crc32c(header));
  const auto length = testing::number_at(archive, archive.size() - block_trailer_bytes);
  if (length > archive.size() - header_bytes) return archive;
  testing::repair_block(archive, archive.size() - length);
  return archive;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string archive(reinterpret_cast<const char*>(data) + 1, size - 1);
  testing::memory_disk disk;
  disk.put("/journal/000000000001.gwa",
           data[0] & 1 ? repaired(std::move(archive)) : std::move(archive));
  fuzz::live_with(disk);
  return 0;
}
