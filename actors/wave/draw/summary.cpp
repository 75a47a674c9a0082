#include "actors/wave/draw/summary.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <iterator>

#include "actors/programme/format.hpp"
#include "actors/programme/hex.hpp"
#include "actors/programme/region.hpp"
#include "actors/programme/time.hpp"
#include "actors/wave/draw/quota.hpp"
#include "actors/wave/draw/row.hpp"

namespace gelombang::draw {
namespace {

constexpr const char* cancelled_state = "cancelled";
constexpr std::size_t cancel_reason_bytes_max = 1024;
constexpr std::size_t time_bytes_max = 40;

std::string json_string(std::string_view text) {
  return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

std::string quoted_hex(std::span<const std::uint8_t> bytes) {
  return '"' + to_hex(bytes) + '"';
}

std::string json_of(const group& one) {
  return fmt::format(R"({{"name":{},"bit":{},"share_permille":{}}})", json_string(one.name),
                     one.bit, one.share_permille);
}

std::string json_of(const region_summary& one, bool drawn) {
  return fmt::format(
      R"({{"region":"{}","weight":{},"applicants":{},"usable":{},"seats":{},"accepted":{},"cutoff":{}}})",
      one.region, one.weight, one.applicants, one.usable, one.seats,
      drawn ? fmt::to_string(one.accepted) : "null",
      one.cutoff ? quoted_hex(*one.cutoff) : std::string("null"));
}

std::string json_of(const cancellation& one) {
  return fmt::format(R"(,"state":"{}","cancelled_at":{},"cancel_reason":{})", cancelled_state,
                     one.at ? json_string(format_time(*one.at)) : "null",
                     one.reason.empty() ? "null" : json_string(one.reason));
}

template <class List, class Render>
std::string joined(const List& list, const Render& render) {
  std::string text;
  for (const auto& one : list) {
    if (!text.empty()) text += ',';
    text += render(one);
  }
  return text;
}

/// Ends the reading of a summary from wherever a member turns out to be wrong.
struct unreadable {
  std::string what;
};

/// Reads an object's members by name; throws `unreadable`, which `read_summary` catches.
class members {
public:
  members(const boost::json::value& value, std::string path) : path_(std::move(path)) {
    object_ = value.if_object();
    if (!object_) throw unreadable{path_ + " is not an object"};
  }

  bool has(const char* name) const { return object_->if_contains(name) != nullptr; }
  bool is_null(const char* name) const { return value(name).is_null(); }

  std::uint64_t number(const char* name, std::uint64_t most) const {
    const auto& found = value(name);
    std::uint64_t number = most;
    if (auto* positive = found.if_int64(); positive && *positive >= 0) {
      number = static_cast<std::uint64_t>(*positive);
    } else if (auto* large = found.if_uint64()) {
      number = *large;
    } else {
      fail(name, "is not a whole number");
    }
    if (number > most) fail(name, "is too large");
    return number;
  }

  std::string text(const char* name, std::size_t bytes_max) const {
    auto* found = value(name).if_string();
    if (!found) fail(name, "is not a string");
    if (found->size() > bytes_max) fail(name, "is too long");
    return {found->data(), found->size()};
  }

  digest hash(const char* name) const {
    auto read = from_hex<sizeof(digest)>(text(name, 2 * sizeof(digest)));
    if (!read) fail(name, "is not 64 lower-case hex digits");
    return *read;
  }

  std::string bytes(const char* name, std::size_t bytes_max) const {
    auto read = from_hex(text(name, 2 * bytes_max), bytes_max);
    if (!read) fail(name, "is not lower-case hex");
    return *read;
  }

  const boost::json::array& list(const char* name) const {
    auto* found = value(name).if_array();
    if (!found) fail(name, "is not a list");
    return *found;
  }

  [[noreturn]] void fail(const char* name, std::string_view why) const {
    throw unreadable{fmt::format("{}{} {}", path_.empty() ? "" : path_ + ".", name, why)};
  }

private:
  const boost::json::value& value(const char* name) const {
    auto* found = object_->if_contains(name);
    if (!found) fail(name, "is missing");
    return *found;
  }

  std::string path_;
  const boost::json::object* object_ = nullptr;
};

group read_group(const boost::json::value& value, std::size_t position) {
  members from{value, fmt::format("groups[{}]", position)};
  return {from.text("name", group_name_bytes_max),
          static_cast<std::uint8_t>(from.number("bit", groups_max - 1)),
          static_cast<std::uint16_t>(from.number("share_permille", shares_permille_max))};
}

region_summary read_region(const boost::json::value& value, std::size_t position) {
  members from{value, fmt::format("regions[{}]", position)};
  auto code = parse_region_code(from.text("region", 4));
  if (!code) from.fail("region", "is not a region's code");
  auto count = [&](const char* name) {
    return static_cast<std::uint32_t>(from.number(name, entries_max));
  };
  region_summary region;
  region.region = *code;
  region.weight = from.number("weight", weight_max);
  region.applicants = count("applicants");
  region.usable = count("usable");
  region.seats = count("seats");
  if (!from.is_null("accepted")) region.accepted = count("accepted");
  if (!from.is_null("cutoff")) region.cutoff = from.hash("cutoff");
  return region;
}

std::optional<cancellation> read_cancellation(const members& from) {
  // What else may be told of a draw one day is no concern of ours.
  if (!from.has("state") || from.text("state", 64) != cancelled_state) return std::nullopt;
  if (!from.is_null("seed")) from.fail("state", "is cancelled, and what is drawn can't be");
  cancellation read;
  if (from.has("cancelled_at") && !from.is_null("cancelled_at")) {
    const auto at = parse_time(from.text("cancelled_at", time_bytes_max));
    if (!at) from.fail("cancelled_at", "is not a time");
    read.at = *at;
  }
  if (from.has("cancel_reason") && !from.is_null("cancel_reason"))
    read.reason = from.text("cancel_reason", cancel_reason_bytes_max);
  return read;
}

summary read_members(const boost::json::value& json) {
  members from{json, {}};
  if (from.text("algorithm", 64) != algorithm_name) from.fail("algorithm", "is not known here");
  summary read;
  read.wave.value = static_cast<std::uint32_t>(from.number("wave", UINT32_MAX));
  read.entries = static_cast<std::uint32_t>(from.number("entries", entries_max));
  read.roster_root = from.hash("roster_root");
  read.quota = static_cast<std::uint32_t>(from.number("quota", quota_max));
  read.minimum_per_region =
      static_cast<std::uint32_t>(from.number("minimum_per_region", quota_max));
  for (const auto& one : from.list("groups")) {
    read.groups.push_back(read_group(one, read.groups.size()));
  }
  read.beacon_source = from.text("beacon_source", beacon_source_bytes_max);
  read.beacon_round = from.number("beacon_round", UINT64_MAX);
  read.operator_secret_hash = from.hash("operator_secret_hash");
  if (!from.is_null("seed")) {
    read.drawn =
        disclosure{from.bytes("beacon_value", beacon_value_bytes_max),
                   from.bytes("operator_secret", operator_secret_bytes_max), from.hash("seed")};
  }
  for (const auto& one : from.list("regions")) {
    read.regions.push_back(read_region(one, read.regions.size()));
  }
  read.cancelled = read_cancellation(from);
  return read;
}

}  // namespace

std::string to_json(const summary& published) {
  auto value_or_null = [](const std::string* bytes) {
    return bytes ? quoted_hex(bytes_of(*bytes)) : std::string("null");
  };
  const auto* drawn = published.drawn ? &*published.drawn : nullptr;
  auto region_json = [&](const region_summary& one) { return json_of(one, drawn != nullptr); };
  auto group_json = [](const group& one) { return json_of(one); };
  return fmt::format(
      R"({{"wave":{},"algorithm":"{}","entries":{},"roster_root":{},"quota":{},)"
      R"("minimum_per_region":{},"groups":[{}],"beacon_source":{},"beacon_round":{},)"
      R"("beacon_value":{},"operator_secret_hash":{},"operator_secret":{},"seed":{},)"
      R"("regions":[{}]{}}})",
      published.wave, algorithm_name, published.entries, quoted_hex(published.roster_root),
      published.quota, published.minimum_per_region, joined(published.groups, group_json),
      json_string(published.beacon_source), published.beacon_round,
      value_or_null(drawn ? &drawn->beacon_value : nullptr),
      quoted_hex(published.operator_secret_hash),
      value_or_null(drawn ? &drawn->operator_secret : nullptr),
      drawn ? quoted_hex(drawn->seed) : std::string("null"), joined(published.regions, region_json),
      published.cancelled ? json_of(*published.cancelled) : std::string{});
}

namespace {

/// Outside of its strings, a JSON text has one colon for each member.
std::size_t members_written(std::string_view json) {
  std::size_t members = 0;
  bool is_in_string = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    if (is_in_string && json[at] == '\\') {
      ++at;
    } else if (json[at] == '"') {
      is_in_string = !is_in_string;
    } else if (!is_in_string && json[at] == ':') {
      ++members;
    }
  }
  return members;
}

std::size_t members_kept(const boost::json::value& in) {
  std::size_t members = 0;
  if (const auto* object = in.if_object()) {
    members = object->size();
    for (const auto& one : *object) members += members_kept(one.value());
  } else if (const auto* list = in.if_array()) {
    for (const auto& one : *list) members += members_kept(one);
  }
  return members;
}

}  // namespace

tl::expected<summary, std::string> read_summary(std::string_view json) {
  if (json.size() > summary_bytes_max) return tl::unexpected<std::string>("too long");
  boost::json::error_code error;
  auto value = boost::json::parse(boost::json::string_view(json.data(), json.size()), error);
  if (error) return tl::unexpected("not JSON: " + error.message());
  // The parser keeps the last of them, other readers the first: two people would verify two draws.
  if (members_kept(value) != members_written(json))
    return tl::unexpected<std::string>("an object has two members of the same name");
  try {
    return read_members(value);
  } catch (unreadable& fault) {
    return tl::unexpected(std::move(fault.what));
  }
}

parameters parameters_of(const summary& published) {
  parameters given{published.wave,
                   published.quota,
                   published.minimum_per_region,
                   published.groups,
                   {},
                   published.beacon_source,
                   published.beacon_round,
                   published.operator_secret_hash};
  for (const auto& one : published.regions) given.weights.push_back({one.region, one.weight});
  return given;
}

result<summary> summarise(const parameters& committed, std::uint32_t entries,
                          const digest& roster_root, const census& counted) {
  summary made;
  made.wave = committed.wave;
  made.entries = entries;
  made.roster_root = roster_root;
  made.quota = committed.quota;
  made.minimum_per_region = committed.minimum_per_region;
  made.groups = committed.groups;
  made.beacon_source = committed.beacon_source;
  made.beacon_round = committed.beacon_round;
  made.operator_secret_hash = committed.operator_secret_hash;
  std::vector<region_demand> demands;
  std::size_t weighted = 0;
  for (const auto& [region, weight] : committed.weights) {
    auto found = counted.regions.find(region);
    auto count = found == counted.regions.end() ? region_census{} : found->second;
    weighted += found != counted.regions.end();
    demands.push_back({region, weight, count.usable});
    made.regions.push_back({region, weight, count.applicants, count.usable, 0, 0, {}});
  }
  if (weighted != counted.regions.size()) {
    return refuse(errc::region_unknown, {}, "a region of the roster has no weight");
  }
  auto seats = spread_seats(demands, committed.quota, committed.minimum_per_region);
  for (std::size_t i = 0; i < seats.size(); ++i) made.regions[i].seats = seats[i];
  return made;
}

std::vector<region_seats> seats_of(const summary& published) {
  std::vector<region_seats> seats;
  for (const auto& one : published.regions) seats.push_back({one.region, one.seats});
  return seats;
}

}  // namespace gelombang::draw
