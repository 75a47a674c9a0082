#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "tests/system/kill/players.hpp"
#include "tests/system/support/node.hpp"

namespace gelombang::system_testing {

void officer::play(curtain& until, haste how) {
  constexpr std::uint64_t pause_milliseconds_max = 60;
  while (until.pause(std::chrono::milliseconds{dice_() % pause_milliseconds_max})) {
    const auto current = all_.current.load();
    const bool is_open = current != 0 && all_.waves[current].rank == 1;
    if (is_open && how == haste::none) continue;
    step_forward();
  }
}

bool officer::step_forward() {
  const auto number = all_.current.load();
  const int rank = number == 0 ? rank_of("announced") : all_.waves[number].rank;
  switch (rank) {
    case 0:
      return order(number, "open", 1);
    case 1:
      return order(number, "close", 2);
    case 2:
      return order(number, "commit", 3);
    case 3:
      return order(number, "draw", 4);
    case 4:
      return order(number, "announce", 5);
    default:
      create();
      return false;
  }
}

void officer::create() {
  constexpr unsigned quota = 30;
  const auto got = programme_.call(create_wave(all_.operator_token, quota));
  if (!got.is_certain()) {
    all_.may_have_created = true;
    return;
  }
  const auto number = got.number("number");
  if (got.status != 201 || !number) return all_.wrong.add("no wave is created: " + got.told());
  const auto made = static_cast<unsigned>(*number);
  if (all_.waves.contains(made)) all_.wrong.add(fmt::format("wave {} is created twice", made));
  all_.waves[made] = {};
  all_.current = made;
}

bool officer::order(unsigned number, const std::string& what, int rank) {
  const auto got = programme_.call(order_wave(all_.operator_token, number, what));
  auto& wave = all_.waves[number];
  if (got.status == 200) {
    const int told = rank_of(got.text("state"));
    if (told < rank) all_.wrong.add(fmt::format("wave {}: {} -> {}", number, what, got.told()));
    wave.rank = std::max(wave.rank, told);
    if (told == rank_of("announced")) ++all_.done.waves_drawn;
    if (told >= rank_of("committed")) look_at_publication(number);
    return true;
  }
  // An order of before a kill may have been carried out, and parts of the last one may be going on.
  if (got.status == 409 && got.problem() == "wave_out_of_order") {
    const auto seen = programme_.get(fmt::format("/v1/waves/{}", number));
    if (seen.status == 200) wave.rank = std::max(wave.rank, rank_of(seen.text("state")));
    return false;
  }
  if (got.is_certain())
    all_.wrong.add(fmt::format("wave {}: {} is refused: {}", number, what, got.told()));
  return false;
}

void officer::look_at_publication(unsigned number) {
  const auto path = fmt::format("/v1/waves/{}/draw", number);
  const auto summary = programme_.get(path);
  if (summary.status != 200) {
    if (summary.is_certain()) all_.wrong.add(path + " -> " + summary.told());
    return;
  }
  auto& wave = all_.waves[number];
  auto keep = [&](std::string& known, const std::string& seen, const char* what) {
    if (known.empty()) known = seen;
    if (known != seen)
      all_.wrong.add(fmt::format("wave {}: {} was {}\nand is {}", number, what, known, seen));
  };
  keep(wave.root, summary.text("roster_root"), "the roster's root");
  if (summary.text("seed").empty()) return;
  keep(wave.summary, summary.body, "the summary");
  auto entries = programme_.get(path + "/entries.csv");
  // After a restart they are computed again for the first who asks.
  const auto end = std::chrono::steady_clock::now() + patience;
  while (entries.status == 503 && entries.problem() == "draw_unchecked" &&
         std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
    entries = programme_.get(path + "/entries.csv");
  }
  if (entries.status == 503 && entries.problem().starts_with("draw_"))
    all_.wrong.add(path + "/entries.csv -> " + entries.told());
  if (entries.status == 200) keep(wave.entries, entries.body, "the list of entries");
}

}  // namespace gelombang::system_testing
