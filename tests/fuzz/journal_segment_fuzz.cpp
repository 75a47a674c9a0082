// A segment of arbitrary bytes. The first byte says whether its checksums are made to hold, so that
// the code behind them is reached as well.
#include "tests/fuzz/storage_fuzz.hpp"

namespace {

using namespace gelombang::storage;

std::string repaired(std::string segment) {
  if (segment.size() < sector_bytes) return segment;
  const auto header = std::string_view(segment).substr(0, sector_bytes - 4);
  testing::put_number(segment, sector_bytes - 4, crc32c(header));
  for (std::size_t at = sector_bytes; at < segment.size();) {
    at = testing::repair_block(segment, at);
  }
  return segment;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string segment(reinterpret_cast<const char*>(data) + 1, size - 1);
  testing::memory_disk disk;
  const auto number = data[0] & 2 ? "/journal/000000000002.gwj" : "/journal/000000000001.gwj";
  disk.put(number, data[0] & 1 ? repaired(std::move(segment)) : std::move(segment));
  fuzz::live_with(disk);
  return 0;
}
