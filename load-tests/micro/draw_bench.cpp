// Times the draw of the largest wave that is planned for: 5 million entries, 514 regions, 800,000
// places, three groups, families of one to five. One run, stage by stage, since each takes seconds.
//
//   draw_bench [entries] [threads] [directory]

#include <fmt/format.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string_view>
#include <vector>

#include "actors/programme/keys.hpp"
#include "actors/programme/region.hpp"
#include "actors/wave/draw/draw.hpp"
#include "actors/wave/draw/verify.hpp"

namespace {

using namespace gelombang;

double seconds(timeval time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Wall time, and time on processors, which tells more on a busy machine.
class stopwatch {
public:
  void lap(std::string_view what) {
    auto now = std::chrono::steady_clock::now();
    auto used = processors();
    fmt::print("{:<28}{:>8.2f} s {:>8.2f} s of processors\n", what,
               std::chrono::duration<double>(now - last_).count(), used - last_used_);
    last_ = now;
    last_used_ = used;
  }

private:
  static double processors() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }

  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  double last_used_ = processors();
};

/// Regions in proportion to their population.
std::vector<std::uint16_t> region_lottery() {
  std::vector<std::uint16_t> tickets;
  for (const auto& region : region_table::standard().all()) {
    tickets.insert(tickets.end(), region.population / 5000 + 1, region.code.value);
  }
  return tickets;
}

std::vector<draw::roster_entry> make_roster(std::size_t entries) {
  std::array<std::uint8_t, 32> master{};
  auto keys = keyring::from_bytes(master);
  std::mt19937_64 random{1};
  auto regions = region_lottery();
  std::vector<draw::roster_entry> roster;
  roster.reserve(entries);
  draw::roster_entry next;
  for (std::size_t left_in_family = 0; roster.size() < entries; --left_in_family) {
    if (left_in_family == 0) {
      left_in_family = 1 + random() % 5;
      next.family = random();
      next.region = region_code{regions[random() % regions.size()]};
      next.family_room = static_cast<std::uint8_t>(1 + random() % 2);
    }
    next.id = keys.entry_of(wave_number{1}, applicant_id{roster.size()});
    auto dice = random() % 100;
    next.groups = (dice < 5) | (dice % 33 == 0) << 1 | (dice % 50 == 0) << 2;
    roster.push_back(next);
  }
  return roster;
}

draw::parameters make_parameters(std::string_view secret) {
  draw::parameters given;
  given.wave = wave_number{1};
  given.quota = 800'000;
  given.minimum_per_region = 50;
  given.groups = {{"listed", 0, 100}, {"disability", 1, 50}, {"returned_migrant", 2, 20}};
  given.beacon_source = "drand";
  given.beacon_round = 1;
  given.operator_secret_hash = sha256(secret);
  for (const auto& region : region_table::standard().all()) {
    given.weights.push_back({region.code, region.population});
  }
  return given;
}

template <class Result>
void must(const Result& result, std::string_view what) {
  if (result) return;
  fmt::print(stderr, "{} failed\n", what);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  auto entries = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 5'000'000;
  auto threads = argc > 2 ? static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10)) : 2u;
  std::filesystem::path directory = argc > 3 ? argv[3] : "draw-bench";
  constexpr std::string_view secret = "the operator's secret of 32 byte";
  std::filesystem::remove_all(directory);

  stopwatch watch;
  auto roster = make_roster(entries);
  watch.lap("(making the roster)");
  auto committed = draw::commit(directory, std::move(roster), make_parameters(secret), threads);
  must(committed, "commit");
  watch.lap("commit, durable");
  auto drawn = draw::run(directory, "a beacon's value", secret, threads);
  must(drawn, "draw");
  watch.lap("draw, durable");
  auto files = draw::draw_files::open(directory);
  must(files, "open");
  std::size_t accepted = 0;
  files->for_each_accepted([&](const draw::roster_entry&) { ++accepted; });
  watch.lap("visiting the accepted");
  std::size_t found = 0;
  for (std::size_t i = 0; i < entries; i += 5) found += files->find(files->roster()[i].id).value();
  watch.lap("a fifth looked up");
  must(files->export_entries(directory / "entries.csv", threads), "export");
  watch.lap("entries.csv, durable");
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print("{} accepted, {} MB of memory at most\n", accepted, usage.ru_maxrss >> 10);
  watch.lap("-");
  must(draw::verify(directory / "drawn.json", directory / "entries.csv", {}, threads), "verify");
  watch.lap("verify");
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print("{} MB of memory at most with verify (mapped files included)\n",
             usage.ru_maxrss >> 10);
  return found == 0 ? 1 : 0;
}
