// A published draw comes from anywhere: its summary and its lines are read without harm, and what
// reads is written back as it was.

#include <array>
#include <cstdlib>
#include <string_view>

#include "actors/wave/draw/row.hpp"
#include "actors/wave/draw/summary.hpp"

namespace {

using namespace gelombang::draw;

void read_as_row(std::string_view line) {
  auto row = read_row(line);
  if (!row) return;
  std::array<char, row_bytes_max> text;
  auto* end = row->drawn ? write_row(text.data(), row->entry, row->drawn->ticket, row->drawn->own)
                         : write_row(text.data(), row->entry);
  std::string_view written{text.data(), static_cast<std::size_t>(end - text.data()) - 1};
  if (written != line) std::abort();
}

void read_as_summary(std::string_view json) {
  auto read = read_summary(json);
  if (!read) return;
  auto again = read_summary(to_json(*read));
  // Before the draw, what regions say of it is dropped.
  if (!again || (read->drawn && *again != *read)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view text{reinterpret_cast<const char*>(data) + 1, size - 1};
  data[0] % 2 == 0 ? read_as_row(text) : read_as_summary(text);
  return 0;
}
