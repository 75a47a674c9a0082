#include "net/command/key_check.hpp"

#include <fstream>

#include "actors/programme/hex.hpp"
#include "actors/wave/draw/files.hpp"
#include "storage/backup.hpp"

namespace gelombang::command {

tl::expected<void, std::string> check_key(const std::filesystem::path& data_directory,
                                          const keyring& keys) {
  const auto file = storage::layout{data_directory}.key_mark();
  const auto expected = to_hex(keys.nik_hash("which key this is"));
  std::ifstream in{file};
  if (std::string known; in >> known) {
    if (known == expected) return {};
    return tl::unexpected("keys.file: this is not the master key that " + data_directory.string() +
                          " was begun with");
  }
  if (auto made = draw::make_directory(data_directory); !made)
    return tl::unexpected(data_directory.string() + ": " + made.error().detail);
  draw::file_replacement out{file};
  out.append(expected + "\n");
  if (auto written = out.finish(); !written)
    return tl::unexpected(file.string() + ": " + written.error().detail);
  return {};
}

}  // namespace gelombang::command
