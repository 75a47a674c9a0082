// The list of a backup, of arbitrary bytes. The first byte says whether its digest is made to hold,
// so that the code behind it is reached as well. Whatever it says, nothing is read outside of the
// backup, and nothing written outside of the target.
#include "storage/backup.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

#include "storage/checksum.hpp"
#include "tests/storage/memory_disk.hpp"

namespace {

using namespace gelombang::storage;

std::string hexadecimal(const digest& value) {
  std::string text;
  for (const auto byte : value) {
    for (const auto half : {byte >> 4, byte & 15}) text.push_back("0123456789abcdef"[half]);
  }
  return text;
}

std::string repaired(std::string list) {
  const auto end = list.rfind("end ");
  if (end != std::string::npos) list.resize(end);
  const auto covered = "gelombang backup 1\n" + list;
  return covered + "end " + hexadecimal(sha256(covered)) + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  std::string list(reinterpret_cast<const char*>(data) + 1, size - 1);
  testing::memory_disk disk;
  disk.put("/secret", "not to be had");
  disk.put("/backup/journal/000000000001.gwj", "some bytes");
  disk.put("/backup/BACKUP", data[0] & 1 ? repaired(std::move(list)) : std::move(list));
  (void)restore(disk, layout{"/backup"}, layout{"/no such directory/target"});
  for (const auto& path : disk.paths()) {
    const auto known = path == "/secret" || path.starts_with("/backup/");
    const auto normal = std::filesystem::path(path).lexically_normal().string();
    if (!known && !normal.starts_with("/no such directory/target")) std::abort();
    if (!known && disk.get(path) == "not to be had") std::abort();
  }
  return 0;
}
