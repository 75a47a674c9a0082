// The files of a draw with bytes of them changed, as a node opens them and as anybody verifies them
// from what is published: read without harm, and never taken for another roster's.
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "actors/wave/draw/draw.hpp"
#include "actors/wave/draw/verify.hpp"

namespace {

using namespace gelombang;
using namespace gelombang::draw;
namespace fs = std::filesystem;

/// By number: those of a draw's directory, then the published entries.
constexpr std::array<const char*, 6> names = {"drawn.json",   "roster.bin",     "tree.bin",
                                              "verdicts.bin", "committed.json", "entries.csv"};

void require(bool holds) {
  if (!holds) std::abort();
}

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

struct sample {
  fs::path directory;
  std::vector<std::string> files;
  digest root{};
};

std::vector<roster_entry> small_roster() {
  std::vector<roster_entry> roster(40);
  for (std::size_t i = 0; i < roster.size(); ++i) {
    auto& one = roster[i];
    for (std::size_t k = 0; k < one.id.size(); ++k) {
      one.id[k] = static_cast<std::uint8_t>(i * 37 + k * 11);
    }
    one.family = i / 2;
    one.groups = i % 3 == 0 ? 2 : 0;
    one.region = region_code{static_cast<std::uint16_t>(i / 2 % 2 == 0 ? 1101 : 1171)};
    one.family_room = 2;
  }
  return roster;
}

const sample& drawn_sample() {
  static const auto made = [] {
    sample all;
    all.directory = fs::temp_directory_path() / "draw";
    parameters given;
    given.wave = wave_number{7};
    given.quota = 12;
    given.minimum_per_region = 1;
    given.groups = {{"disability", 1, 100}};
    given.weights = {{region_code{1101}, 3}, {region_code{1171}, 2}};
    given.beacon_source = "drand";
    given.beacon_round = 9;
    given.operator_secret_hash = sha256("secret");
    const auto committed = commit(all.directory, small_roster(), given, 1);
    require(committed.has_value());
    all.root = committed->roster_root;
    require(run(all.directory, "value", "secret", 1).has_value());
    const auto opened = draw_files::open(all.directory);
    require(opened && opened->check(1) && opened->export_entries(all.directory / "entries.csv", 1));
    for (const auto* name : names) all.files.push_back(text_of(all.directory / name));
    return all;
  }();
  return made;
}

/// Each edit: file and kind in one byte, place in two, value in one.
void edit(std::vector<std::string>& files, std::string_view edits) {
  for (; edits.size() >= 4; edits.remove_prefix(4)) {
    std::uint16_t place = 0;
    std::memcpy(&place, edits.data() + 1, sizeof place);
    const auto what = static_cast<unsigned char>(edits[0]);
    auto& file = files[what % names.size()];
    const auto at = file.empty() ? 0 : place % file.size();
    switch (what / names.size() % 4) {
      case 0:
        if (!file.empty()) file[at] = edits[3];
        break;
      case 1:
        file.insert(at, 1, edits[3]);
        break;
      case 2:
        file.erase(at, static_cast<unsigned char>(edits[3]));
        break;
      default:
        file.resize(at);
    }
  }
}

void open_as_a_node(const sample& original) {
  const auto opened = draw_files::open(original.directory);
  if (!opened) return;
  const auto size = static_cast<std::uint32_t>(opened->roster().size());
  for (std::uint32_t i = 0; i < size; i += 7) {
    (void)opened->find(opened->roster()[i].id);
    (void)opened->proof(i);
  }
  (void)opened->rows(0, size);
  const auto agrees = opened->check(1);
  require(!agrees || opened->published().roster_root == original.root);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto& original = drawn_sample();
  auto files = original.files;
  edit(files, {reinterpret_cast<const char*>(data), size});
  for (std::size_t i = 0; i < names.size(); ++i) write(original.directory / names[i], files[i]);
  open_as_a_node(original);
  const auto verified = verify(original.directory / "drawn.json",
                               original.directory / "entries.csv", small_roster().front().id, 1);
  require(!verified || verified->published.roster_root == original.root);
  return 0;
}
