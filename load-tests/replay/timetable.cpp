#include "load-tests/replay/timetable.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>

#include "actors/programme/hex.hpp"
#include "actors/programme/sha256.hpp"
#include "actors/seed/people.hpp"

namespace gelombang::load::replay {
namespace {

constexpr std::array<std::string_view, 4> names{"accounts", "open", "join", "close"};

struct wrong {
  std::string what;
};

/// One table of the file: every key that is asked for must be there, and no other.
class section {
public:
  section(const toml::table& table, std::string where) : table_(table), where_(std::move(where)) {}

  std::int64_t whole(std::string_view key, std::int64_t least, std::int64_t most) {
    const auto* value = need(key).as_integer();
    if (!value || value->get() < least || value->get() > most)
      fail(key, fmt::format("must be a whole number from {} to {}", least, most));
    return value->get();
  }
  std::string text(std::string_view key) {
    const auto* value = need(key).as_string();
    if (!value || value->get().empty()) fail(key, "must be a text");
    return value->get();
  }
  date day(std::string_view key) {
    const auto read = parse_date(text(key));
    if (!read) fail(key, "must be a date as \"2020-04-11\"");
    return *read;
  }
  double share_or_none(std::string_view key) {
    if (!table_.contains(key)) return 0;
    const auto value = need(key).value<double>();
    if (!value || !(*value > 0 && *value <= 1)) fail(key, "must be a share, up to 1");
    return *value;
  }
  const toml::table& table(std::string_view key) {
    const auto* value = need(key).as_table();
    if (!value) fail(key, "must be a table");
    return *value;
  }
  const toml::array& array(std::string_view key) {
    const auto* value = need(key).as_array();
    if (!value) fail(key, "must be a list of tables");
    return *value;
  }
  void end() const {
    for (const auto& [key, value] : table_)
      if (!known_.contains(key.str())) fail(key.str(), "is not known");
  }
  [[noreturn]] void fail(std::string_view key, std::string_view why) const {
    throw wrong{fmt::format("{}{} {}", where_, key, why)};
  }

private:
  const toml::node& need(std::string_view key) {
    known_.emplace(key);
    const auto* node = table_.get(key);
    if (!node) fail(key, "is missing");
    return *node;
  }

  const toml::table& table_;
  std::string where_;
  std::set<std::string, std::less<>> known_;
};

date later(date day, int years) {
  const auto moved = date{day.year() + std::chrono::years{years}, day.month(), day.day()};
  // The 29th of February is not in every year.
  return moved.ok() ? moved : date{moved.year() / moved.month() / std::chrono::last};
}

constexpr auto many = static_cast<std::int64_t>(seed::people_max);

entry entry_in(section& from, int years) {
  entry read;
  const auto what = from.text("do");
  std::size_t at = 0;
  while (at < names.size() && names[at] != what) ++at;
  if (at == names.size()) from.fail("do", "must be \"accounts\", \"open\", \"join\" or \"close\"");
  read.what = static_cast<deed>(at);
  read.day = later(from.day("day"), years);
  switch (read.what) {
    case deed::accounts:
      read.accounts = static_cast<std::uint64_t>(from.whole("accounts", 1, many));
      break;
    case deed::open:
      read.until = later(from.day("until"), years);
      read.wave = static_cast<std::uint32_t>(from.whole("wave", 1, 1000));
      read.places = static_cast<std::uint64_t>(from.whole("places", 1, many));
      if (read.until <= read.day) from.fail("until", "must be later than `day`");
      break;
    case deed::join:
      read.joins = static_cast<std::uint64_t>(from.whole("joins", 1, many));
      read.rate = from.share_or_none("rate");
      break;
    case deed::close:
      break;
  }
  return read;
}

funnel_shares funnel_in(section from) {
  funnel_shares read;
  const auto share = [&](std::string_view key, std::uint64_t most) {
    return static_cast<std::uint64_t>(from.whole(key, 1, static_cast<std::int64_t>(most)));
  };
  read.verified = share("verified", 1000);
  read.identified = share("identified", read.verified);
  read.profiled = share("profiled", read.identified);
  read.ready = share("ready", read.profiled);
  from.end();
  return read;
}

/// What must be so between the steps. Waves are numbered as a node numbers them.
class order_check {
public:
  void take(const entry& next, const section& at) {
    if (next.day < last_day_) at.fail("day", "lies before the step before it");
    last_day_ = next.day;
    if (next.what == deed::accounts) {
      if (next.accounts <= accounts_) at.fail("accounts", "must be more than before");
      accounts_ = next.accounts;
    } else if (next.what == deed::open) {
      if (is_open_) at.fail("do", "opens a wave while another is open");
      if (next.wave != ++waves_) at.fail("wave", fmt::format("must be {}", waves_));
      is_open_ = true;
      last_of_wave_ = next.until;
    } else {
      if (!is_open_) at.fail("do", "needs a wave that is open");
      if (next.what == deed::close) is_open_ = false;
      const bool in_time =
          next.what == deed::join ? next.day <= last_of_wave_ : next.day >= last_of_wave_;
      if (!in_time) at.fail("day", "does not fit the wave's last day");
    }
  }
  void end() const {
    if (is_open_) throw wrong{"the last wave is not closed"};
    if (accounts_ == 0) throw wrong{"there are no accounts"};
  }

private:
  date last_day_{std::chrono::year{1900} / 1 / 1};
  date last_of_wave_{};
  std::uint64_t accounts_ = 0;
  std::uint32_t waves_ = 0;
  bool is_open_ = false;
};

}  // namespace

std::string_view name_of(deed what) {
  return names[static_cast<std::size_t>(what)];
}

tl::expected<timetable, std::string> timetable_in(std::string_view toml, std::string_view name) {
  try {
    const auto table = toml::parse(toml);
    section all{table, {}};
    timetable read;
    read.digest = to_hex(sha256(toml));
    const auto years = static_cast<int>(all.whole("years_later", 0, 50));
    read.scheme = all.text("scheme");
    read.funnel = funnel_in({all.table("funnel"), "funnel."});
    const auto& steps = all.array("step");
    if (steps.size() > steps_max)
      all.fail("step", fmt::format("stands there over {} times", steps_max));
    order_check order;
    for (const auto& one : steps) {
      if (!one.is_table()) all.fail("step", "must be a list of tables");
      section at{*one.as_table(), fmt::format("step {}: ", read.steps.size() + 1)};
      read.steps.push_back(entry_in(at, years));
      at.end();
      order.take(read.steps.back(), at);
    }
    order.end();
    all.end();
    return read;
  } catch (const toml::parse_error& fault) {
    return tl::unexpected(
        fmt::format("{}:{}: {}", name, fault.source().begin.line, fault.description()));
  } catch (const wrong& found) {
    return tl::unexpected(fmt::format("{}: {}", name, found.what));
  }
}

tl::expected<timetable, std::string> load_timetable(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) return tl::unexpected(fmt::format("{}: {}", file.string(), std::strerror(errno)));
  return timetable_in(std::string{std::istreambuf_iterator<char>{in}, {}}, file.string());
}

}  // namespace gelombang::load::replay
