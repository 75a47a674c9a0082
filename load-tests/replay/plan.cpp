#include "load-tests/replay/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gelombang::load::replay {
namespace {

// NOLINTNEXTLINE(bugprone-reserved-identifier): the compilers' own integer of 128 bits
__extension__ using wide = unsigned __int128;

constexpr std::array<std::string_view, acts> names{"sign_up", "verify",     "identity",
                                                   "profile", "assessment", "join"};

using std::chrono::hours;
using std::chrono::minutes;

/// A time of day in Jakarta.
instant on(date day, minutes time) {
  constexpr hours wib{7};
  return std::chrono::sys_days{day} + time - wib;
}

std::vector<std::uint64_t> times(const std::vector<std::uint64_t>& full, double scale) {
  const auto sum = std::accumulate(full.begin(), full.end(), std::uint64_t{0});
  if (sum == 0) return full;
  return apportion(full,
                   static_cast<std::uint64_t>(std::llround(static_cast<double>(sum) * scale)));
}

std::vector<cohort> cohorts_of(const timetable& full, double scale) {
  std::vector<std::uint64_t> sizes;
  std::uint64_t before = 0;
  for (const auto& one : full.steps)
    if (one.what == deed::accounts)
      sizes.push_back(one.accounts - std::exchange(before, one.accounts));
  sizes = times(sizes, scale);
  const auto& f = full.funnel;
  const std::array<std::uint64_t, funnel_acts> permille{1000, f.verified, f.identified, f.profiled,
                                                        f.ready};
  std::vector<cohort> made(sizes.size());
  const auto people = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
  if (people == 0) return made;
  for (std::size_t a = 0; a < funnel_acts; ++a) {
    const auto counts = apportion(sizes, (people * permille[a] + 500) / 1000);
    for (std::size_t i = 0; i < made.size(); ++i) made[i].counts[a] = counts[i];
  }
  for (std::size_t i = 1; i < made.size(); ++i)
    made[i].first = made[i - 1].first + made[i - 1].size();
  return made;
}

/// The same list for joins or places.
std::vector<std::uint64_t> amounts_of(const timetable& full, deed what, double scale) {
  std::vector<std::uint64_t> amounts;
  for (const auto& one : full.steps)
    if (one.what == what) amounts.push_back(what == deed::join ? one.joins : one.places);
  return times(amounts, scale);
}

/// Follows the steps and finds the first that can't be.
tl::expected<void, std::string> check(const plan& made) {
  std::uint64_t ready = 0, members = 0, joined = 0, places = 0;
  for (std::size_t i = 0; i < made.steps.size(); ++i) {
    const auto& one = made.steps[i];
    const auto wrong = [&](std::string_view why) {
      return tl::unexpected(fmt::format("step {}: {}", i + 1, why));
    };
    switch (one.what) {
      case deed::accounts: {
        const auto& counts = made.cohorts[one.group].counts;
        if (counts.back() == 0 || !std::is_sorted(counts.rbegin(), counts.rend()))
          return wrong("too few accounts for the funnel's shares: the scale is too small");
        ready += counts.back();
        break;
      }
      case deed::open:
        joined = 0;
        places = one.places;
        if (places == 0) return wrong("a wave without places: the scale is too small");
        break;
      case deed::join:
        joined += one.joins;
        if (one.joins == 0) return wrong("nobody joins: the scale is too small");
        if (members + joined > ready)
          return wrong(fmt::format("{} join, and only {} are ready and no members", joined,
                                   ready - members));
        break;
      case deed::close:
        if (joined < places) return wrong("fewer have joined than there are places");
        members += places;
        break;
    }
  }
  return {};
}

}  // namespace

std::string_view name_of(act what) {
  return names[static_cast<std::size_t>(what)];
}

std::vector<std::uint64_t> apportion(std::span<const std::uint64_t> weights, std::uint64_t total) {
  wide sum = 0;
  for (const auto one : weights) sum += one;
  std::vector<std::uint64_t> parts;
  std::vector<std::pair<wide, std::size_t>> rests;  // what is left of each, to be the largest first
  std::uint64_t given = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto share = wide{weights[i]} * total;
    parts.push_back(static_cast<std::uint64_t>(share / sum));
    rests.emplace_back(share % sum, i);
    given += parts.back();
  }
  std::stable_sort(rests.begin(), rests.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (std::size_t i = 0; i < total - given; ++i) ++parts[rests[i].second];
  return parts;
}

std::uint64_t plan::people() const {
  return cohorts.empty() ? 0 : cohorts.back().first + cohorts.back().size() - 1;
}

std::uint64_t plan::waves() const {
  return static_cast<std::uint64_t>(std::count_if(
      steps.begin(), steps.end(), [](const step& one) { return one.what == deed::open; }));
}

std::uint64_t plan::total(act what) const {
  std::uint64_t sum = 0;
  if (what == act::join) {
    for (const auto& one : steps) sum += one.what == deed::join ? one.joins : 0;
    return sum;
  }
  for (const auto& one : cohorts) sum += one.counts[static_cast<std::size_t>(what)];
  return sum;
}

tl::expected<plan, std::string> scaled(const timetable& full, double scale) {
  if (!(scale > 0 && scale <= 1)) return tl::unexpected(std::string{"--scale: above 0, up to 1"});
  plan made{.scheme = full.scheme,
            .cohorts = cohorts_of(full, scale),
            .steps = {},
            .minimum_per_region = static_cast<std::uint64_t>(minimum_per_region * scale)};
  const auto joins = amounts_of(full, deed::join, scale);
  const auto places = amounts_of(full, deed::open, scale);
  std::size_t groups = 0, joins_seen = 0, waves_seen = 0;
  step wave;  // what the steps of a wave have in common
  std::uint64_t accounts = 0;
  constexpr auto noon = hours{12};
  for (const auto& one : full.steps) {
    step next = one.what == deed::accounts ? step{} : wave;
    next.what = one.what;
    next.at = on(one.day, hours{9});
    if (one.what == deed::accounts) {
      next.group = groups++;
      accounts += made.cohorts[next.group].size();
    } else if (one.what == deed::open) {
      next.opens = on(one.day, noon);
      next.closes = on(one.until, hours{23} + minutes{59});
      next.wave = one.wave;
      next.places = places[waves_seen++];
      wave = next;
    } else if (one.what == deed::join) {
      next.joins = joins[joins_seen++];
      next.rate = one.rate;
    } else {
      next.at = next.closes + minutes{1};
    }
    next.accounts_so_far = accounts;
    made.steps.push_back(next);
  }
  if (auto fits = check(made); !fits) return tl::unexpected(fits.error());
  return made;
}

}  // namespace gelombang::load::replay
