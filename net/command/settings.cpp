#include "net/command/settings.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "actors/applicant/profile.hpp"
#include "actors/programme/email.hpp"
#include "net/command/listen.hpp"

namespace gelombang::command {
namespace {

struct wrong {
  std::string what;
};

/// One table of the file. Every key may be left out; a key that nobody asked for is refused.
class section {
public:
  section(const toml::table* table, std::string name) : table_(table), name_(std::move(name)) {}

  template <class Number>
  void number(std::string_view key, Number& into, std::int64_t least, std::int64_t most) {
    const auto* node = find(key);
    if (!node) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < least || *value > most)
      throw wrong{
          fmt::format("{}.{} must be a whole number from {} to {}", name_, key, least, most)};
    into = static_cast<Number>(*value);
  }
  void text(std::string_view key, std::string& into) {
    const auto* node = find(key);
    if (!node) return;
    const auto value = node->value_exact<std::string>();
    if (!value) throw wrong{how_to_write(*node, key)};
    into = *value;
  }
  void flag(std::string_view key, bool& into) {
    const auto* node = find(key);
    if (!node) return;
    const auto value = node->value_exact<bool>();
    if (!value) throw wrong{fmt::format("{}.{} must be true or false", name_, key)};
    into = *value;
  }
  const toml::array* array(std::string_view key) {
    const auto* node = find(key);
    if (!node) return nullptr;
    if (!node->is_array()) throw wrong{fmt::format("{}.{} must be a list", name_, key)};
    return node->as_array();
  }
  [[noreturn]] void fail(std::string_view key, std::string_view why) const {
    throw wrong{fmt::format("{}.{} {}", name_, key, why)};
  }

  ~section() noexcept(false) {
    if (!table_ || std::uncaught_exceptions() > 0) return;
    for (const auto& [key, value] : *table_)
      if (!known_.contains(key.str()))
        throw wrong{fmt::format("{}.{} is not known", name_, key.str())};
  }
  section(const section&) = delete;
  section& operator=(const section&) = delete;

private:
  /// For a value without quotes that TOML takes for something else.
  std::string how_to_write(const toml::node& node, std::string_view key) const {
    auto told = fmt::format("{}.{} must be a text", name_, key);
    std::ostringstream value;
    if (const auto flag = node.value_exact<bool>()) value << (*flag ? "true" : "false");
    if (const auto whole = node.value_exact<std::int64_t>()) value << *whole;
    if (const auto real = node.value_exact<double>()) value << *real;
    if (const auto day = node.value_exact<toml::date>()) value << *day;
    if (const auto time = node.value_exact<toml::time>()) value << *time;
    if (const auto moment = node.value_exact<toml::date_time>()) value << *moment;
    if (value.str().empty()) return told;
    return fmt::format(
        "{0}, in quotes: in a file {1} = \"{2}\", on the command line --set '{3}.{1}=\"{2}\"'",
        told, key, value.str(), name_);
  }

  const toml::node* find(std::string_view key) {
    known_.emplace(key);
    return table_ ? table_->get(key) : nullptr;
  }

  const toml::table* table_;
  std::string name_;
  std::set<std::string, std::less<>> known_;
};

constexpr std::int64_t many = 1'000'000'000'000;

const toml::table* table_in(const toml::table& all, std::string_view name) {
  const auto* node = all.get(name);
  if (node && !node->is_table()) throw wrong{fmt::format("{} must be a table", name)};
  return node ? node->as_table() : nullptr;
}

std::chrono::minutes time_of_day(section& from, std::string_view key,
                                 std::chrono::minutes fallback) {
  std::string text;
  from.text(key, text);
  if (text.empty()) return fallback;
  const auto digit = [&](std::size_t at) {
    return text[at] >= '0' && text[at] <= '9' ? text[at] - '0' : 100;
  };
  const bool has_form = text.size() == 5 && text[2] == ':';
  const int hours = has_form ? 10 * digit(0) + digit(1) : 100;
  const int minutes = has_form ? 10 * digit(3) + digit(4) : 100;
  if (hours > 23 || minutes > 59)
    from.fail(key, "must be a time as \"12:00\", from 00:00 to 23:59");
  return std::chrono::minutes{hours * 60 + minutes};
}

void read_mail(const toml::table* table, mailer::post_office_options& mail) {
  section from{table, "mail"};
  from.text("kind", mail.kind);
  if (mail.kind != "directory" && mail.kind != "smtp" && mail.kind != "off")
    from.fail("kind", "must be \"directory\", \"smtp\" or \"off\"");
  from.text("path", mail.path);
  if (mail.kind == "directory" && mail.path.empty()) from.fail("path", "must not be empty");
  from.text("host", mail.host);
  if (mail.kind == "smtp" && mail.host.empty()) from.fail("host", "must not be empty");
  from.number("port", mail.port, 1, 65535);
  from.text("from", mail.from);
  from.text("tls", mail.tls);
  from.text("user", mail.user);
  from.text("password_file", mail.password_file);
  std::int64_t timeout = mail.timeout.count();
  from.number("timeout_seconds", timeout, 1, 600);
  mail.timeout = std::chrono::seconds{timeout};
  from.number("queue_max", mail.queue.queue_max, 1, 10'000'000);
}

void read_waves(const toml::table* table, settings& into) {
  section from{table, "waves"};
  auto& waves = into.waves;
  from.flag("automatic", waves.automatic);
  std::string anchor;
  from.text("anchor", anchor);
  if (!anchor.empty()) {
    const auto day = parse_date(anchor);
    if (!day) from.fail("anchor", "must be a date as \"2026-01-02\"");
    waves.schedule.anchor = *day;
  }
  std::int64_t period = waves.schedule.period.count();
  from.number("period_days", period, 1, 366);
  waves.schedule.period = std::chrono::days{period};
  std::int64_t closes_after = waves.schedule.closes_after.count();
  from.number("closes_after_days", closes_after, 0, 366);
  waves.schedule.closes_after = std::chrono::days{closes_after};
  waves.schedule.opens = time_of_day(from, "opens", waves.schedule.opens);
  waves.schedule.closes = time_of_day(from, "closes", waves.schedule.closes);
  if (closes_after == 0 && waves.schedule.closes <= waves.schedule.opens)
    from.fail("closes", "must be later than waves.opens, since closes_after_days is 0");
  from.number("created_ahead", waves.created_ahead, 0, 100);
  from.text("scheme", waves.scheme);
  from.number("quota", waves.quota, 1, 10'000'000);
  from.number("minimum_per_region", waves.minimum_per_region, 0, 100'000);
  if (waves.minimum_per_region > waves.quota)
    from.fail("minimum_per_region", fmt::format("must be at most the quota, {}", waves.quota));
  const auto* groups = from.array("groups");
  if (!groups) return;
  waves.groups.clear();
  std::set<std::string> names;
  std::uint64_t shares = 0;
  for (const auto& one : *groups) {
    if (!one.is_table()) from.fail("groups", "must be a list of tables");
    section group{one.as_table(), "waves.groups"};
    auto& added = waves.groups.emplace_back();
    group.text("name", added.name);
    group.number("share_permille", added.share_permille, 0, 1000);
    if (!applicant::group_bit_named(added.name))
      group.fail("name", fmt::format("\"{}\" is no group that is known", added.name));
    if (!names.insert(added.name).second)
      group.fail("name", fmt::format("\"{}\" stands there twice", added.name));
    shares += added.share_permille;
  }
  if (shares > 1000) from.fail("groups", "must have shares of 1000 permille together at most");
}

void read_front_door(const toml::table* table, settings& into) {
  section from{table, "front_door"};
  auto& front = into.front_door;
  from.number("io_threads", front.io_threads, 0, 256);
  from.number("connections_max", front.connections_max, 0, 10'000'000);
  from.number("connections_by_address_max", front.connections_by_address_max, 1, 10'000'000);
  from.number("body_bytes_max", front.body_bytes_max, 256, 64 << 20);
  from.number("header_bytes_max", front.header_bytes_max, 512, 1 << 20);
  from.number("header_seconds_max", front.header_seconds_max, 1, 3600);
  from.number("body_seconds_max", front.body_seconds_max, 1, 3600);
  from.number("idle_seconds_max", front.idle_seconds_max, 1, 86400);
  from.number("answer_seconds_max", front.answer_seconds_max, 1, 600);
  from.number("stop_notice_seconds", front.stop_notice_seconds, 0, 600);
  from.number("stop_seconds_max", front.stop_seconds_max, 0, 60);
  from.number("password_threads", front.password_threads, 1, 256);
  from.number("password_queue_max", front.password_queue_max, 1, 1'000'000);
  constexpr std::uint32_t guesses_max = 4'000'000'000;
  auto& guesses = front.guesses;
  from.number("attempts_by_address_max", guesses.by_address_max, 1, guesses_max);
  from.number("guesses_by_account_and_address_max", guesses.by_account_and_address_max, 0,
              guesses_max);
  from.number("guesses_by_account_max", guesses.by_account_max, 1, guesses_max);
}

void read_overload(const toml::table* table, settings& into) {
  section from{table, "overload"};
  auto& overload = into.overload;
  from.flag("enabled", overload.is_on);
  std::int64_t wait = overload.wait_target.count();
  from.number("wait_milliseconds", wait, 1, 10'000);
  overload.wait_target = std::chrono::milliseconds{wait};
  overload.queue_target = 4 * overload.wait_target;
  from.number("served_per_refusal", overload.served_per_refusal, 1, 1'000);
  from.number("account_requests_per_second", overload.account_requests_max, 1, 1'000'000);
  from.number("address_share_permille", overload.address_share_permille, 1, 1'000);
}

void read_limits(const toml::table* table, net::caller_limit_settings& limits) {
  section from{table, "limits"};
  std::int64_t window = limits.window.count();
  from.number("window_seconds", window, 1, 3600);
  limits.window = std::chrono::seconds{window};
  const auto most = [&from](std::string_view key, std::uint32_t& into) {
    from.number(key, into, 0, net::caller_limit_max);
  };
  most("requests_by_account_max", limits.account_requests_max);
  most("clicks_by_account_max", limits.account_clicks_max);
  most("requests_by_device_max", limits.device_requests_max);
  most("requests_by_address_max", limits.address_requests_max);
  most("requests_by_network_max", limits.network_requests_max);
  from.flag("loopback_is_exempt", limits.loopback_is_exempt);
  from.number("keys_kept", limits.keys_kept, 1 << 10, 1 << 28);
}

void read_waiting_room(const toml::table* table, net::waiting_room_options& room) {
  section from{table, "waiting_room"};
  std::string mode{net::name_of(room.mode)};
  from.text("mode", mode);
  const auto known = {net::room_mode::automatic, net::room_mode::on, net::room_mode::off};
  const auto* found =
      std::find_if(known.begin(), known.end(), [&](auto one) { return net::name_of(one) == mode; });
  if (found == known.end()) from.fail("mode", "must be \"auto\", \"on\" or \"off\"");
  room.mode = *found;
  from.number("rate_per_second", room.rate_per_second, 0, net::room_rate_max);
  const auto time = [&from](std::string_view key, auto unit, std::chrono::milliseconds& into,
                            std::int64_t least, std::int64_t most) {
    std::int64_t count = std::chrono::duration_cast<decltype(unit)>(into).count();
    from.number(key, count, least, most);
    into = decltype(unit){count};
  };
  using std::chrono::milliseconds, std::chrono::seconds;
  time("opens_after_milliseconds", milliseconds{}, room.opens_after, 0, 60'000);
  time("closes_after_seconds", seconds{}, room.closes_after, 1, 3600);
  time("turn_seconds_max", seconds{}, room.turn_lasts, 32, 86'400);
  from.number("places_kept", room.places_kept, 1 << 16, 1 << 30);
}

/// What is touched ahead stays in memory, so more than there is would end the process: the
/// machine's, or what a container (cgroup v2) is allowed.
std::int64_t physical_memory_bytes() {
  const std::int64_t installed = ::sysconf(_SC_PHYS_PAGES) * ::sysconf(_SC_PAGESIZE);
  std::int64_t allowed = 0;
  std::ifstream limit{"/sys/fs/cgroup/memory.max"};  // "max" where there is none
  return limit >> allowed ? std::min(installed, allowed) : installed;
}

void read_storage(const toml::table* table, settings& into) {
  section from{table, "storage"};
  auto& storage = into.storage;
  from.text("data_dir", storage.data_dir);
  if (storage.data_dir.empty()) from.fail("data_dir", "must not be empty");
  from.number("segment_bytes_max", storage.segment_bytes_max, 1 << 20, 4ll << 30);
  from.number("checkpoint_bytes", storage.checkpoint_bytes, 1 << 16, 16ll << 30);
  from.number("checkpoint_interval_seconds", storage.checkpoint_interval_seconds, 1, 86400);
  from.number("block_cache_bytes", storage.block_cache_bytes, 1 << 20, many);
}

void read_runtime(const toml::table* table, settings& into) {
  section from{table, "runtime"};
  auto& runtime = into.runtime;
  from.number("shards", runtime.shards, 1, 4096);
  from.number("workers", runtime.workers, 0, 256);
  from.number("active_actors_max", runtime.active_actors_max, 64, many);
  from.number("idle_seconds", runtime.idle_seconds, 1, 30ll * 86400);
  from.number("memory_ahead_bytes", runtime.memory_ahead_bytes, 0, physical_memory_bytes());
  from.number("requests_in_flight_max", runtime.requests_in_flight_max, 1, 10'000'000);
}

void read_passwords(const toml::table* table, settings& into) {
  section from{table, "passwords"};
  from.number("cpu_share_permille", into.passwords.cpu_share_permille, 1, 1000);
  from.number("wait_milliseconds_max", into.passwords.wait_milliseconds_max, 1, 600'000);
  auto& cost = into.passwords.cost;
  from.number("passes", cost.passes, 1, net::password_passes_max);
  std::int64_t kib = std::int64_t{1} << cost.memory_log2_kib;
  from.number("memory_kib", kib, 1 << net::password_memory_log2_kib_min,
              1 << net::password_memory_log2_kib_max);
  if (!std::has_single_bit(static_cast<std::uint64_t>(kib)))
    from.fail("memory_kib", "must be a power of two");
  cost.memory_log2_kib =
      static_cast<std::uint8_t>(std::countr_zero(static_cast<std::uint64_t>(kib)));
}

void read_clock(const toml::table* table, settings& into) {
  section from{table, "clock"};
  std::string kind = "system", start;
  from.text("kind", kind);
  if (kind != "system" && kind != "manual") from.fail("kind", "must be \"system\" or \"manual\"");
  into.clock.is_manual = kind == "manual";
  from.text("start", start);
  if (start.empty()) return;
  const auto at = parse_time(start);
  if (!at) from.fail("start", "must be a time as \"2025-04-11T12:00:00+07:00\"");
  into.clock.start = *at;
}

bool is_metrics_place(const std::string& text) {
  return text == metrics_here || text == metrics_off || parse_listen(text);
}

void read_demo(const toml::table* table, settings& into) {
  section from{table, "demo"};
  from.flag("enabled", into.demo.enabled);
  const auto text = [&](std::string_view key, std::string& value) {
    from.text(key, value);
    if (into.demo.enabled && value.empty()) from.fail(key, "must not be empty");
  };
  text("operator_email", into.demo.operator_email);
  text("operator_password", into.demo.operator_password);
  text("applicant_email", into.demo.applicant_email);
  text("applicant_password", into.demo.applicant_password);
}

/// It stands in every line of the log, in a pattern where % means something.
bool is_node_name(const std::string& text) {
  constexpr std::size_t characters_max = 64;
  return !text.empty() && text.size() <= characters_max &&
         std::all_of(text.begin(), text.end(),
                     [](char one) { return one >= ' ' && one <= '~' && one != '%'; });
}

void read_rest(const toml::table& all, settings& into) {
  {
    section from{table_in(all, "node"), "node"};
    from.text("name", into.node.name);
    if (!is_node_name(into.node.name))
      from.fail("name", "must be 1 to 64 visible ASCII characters or blanks, and no %");
  }
  {
    section from{table_in(all, "listen"), "listen"};
    from.text("address", into.listen.address);
    if (!is_ip_address(into.listen.address))
      from.fail("address", "must be an IP address, such as 127.0.0.1, 0.0.0.0 or ::1");
    from.number("port", into.listen.port, 0, 65535);
    from.text("tls_certificate", into.listen.tls_certificate);
    from.text("tls_key", into.listen.tls_key);
    from.text("metrics", into.listen.metrics);
    if (!is_metrics_place(into.listen.metrics))
      from.fail("metrics",
                "must be \"here\", \"off\", or an ADDR:PORT of its own such as 127.0.0.1:9180");
    from.text("operators", into.listen.operators);
    if (into.listen.operators != operators_here && !parse_listen(into.listen.operators))
      from.fail("operators",
                "must be \"here\", or an ADDR:PORT of their own such as 10.0.0.1:8081");
    if (into.listen.tls_certificate.empty() != into.listen.tls_key.empty())
      from.fail("tls_key", "and tls_certificate go together");
  }
  {
    section from{table_in(all, "keys"), "keys"};
    from.text("file", into.keys.file);
    if (into.keys.file.empty()) from.fail("file", "must not be empty");
    from.flag("create", into.keys.create);
  }
  {
    section from{table_in(all, "operators"), "operators"};
    if (const auto* emails = from.array("emails"))
      for (const auto& one : *emails) {
        const auto email = one.value_exact<std::string>();
        if (!email) from.fail("emails", "must be a list of texts");
        if (!normalise_email(*email))
          from.fail("emails", fmt::format("\"{}\" is no e-mail address", *email));
        into.operator_emails.push_back(*email);
      }
  }
  {
    section from{table_in(all, "programme"), "programme"};
    from.text("eligibility", into.programme.eligibility);
    from.text("assessment", into.programme.assessment);
    from.text("regions", into.programme.regions);
  }
  {
    section from{table_in(all, "log"), "log"};
    from.text("level", into.log.level);
    from.text("file", into.log.file);
    static const std::set<std::string> levels{"trace", "debug", "info", "warn", "error"};
    if (!levels.contains(into.log.level))
      from.fail("level", "must be \"trace\", \"debug\", \"info\", \"warn\" or \"error\"");
  }
}

/// `value` as TOML has it. What is no TOML value is a text, and so is a date or a time: a shell
/// takes the quotes away, and no key is a date in TOML's sense.
toml::table parse_value(const std::string& value) {
  toml::table bare;
  bare.insert("value", value);
  try {
    auto parsed = toml::parse("value = " + value);
    const auto* one = parsed.get("value");
    return one->is_date() || one->is_time() || one->is_date_time() ? bare : parsed;
  } catch (const toml::parse_error&) {
    return bare;
  }
}

void lay_over(toml::table& all, const std::string& override_text) {
  const auto equals = override_text.find('=');
  const auto dot = override_text.find('.');
  if (equals == std::string::npos || dot == std::string::npos || dot > equals)
    throw wrong{"--set takes section.key=value, not \"" + override_text + "\""};
  const auto name = override_text.substr(0, dot);
  const auto key = override_text.substr(dot + 1, equals - dot - 1);
  auto parsed = parse_value(override_text.substr(equals + 1));
  if (!all.contains(name)) all.insert(name, toml::table{});
  auto* table = all.get(name)->as_table();
  if (!table) throw wrong{name + " must be a table"};
  table->insert_or_assign(key, *parsed.get("value"));
}

toml::table parse_file(const std::string& file) {
  if (file.empty()) return {};
  std::ifstream in{file, std::ios::binary};
  if (!in) throw wrong{file + " can't be read"};
  // A directory opens like a file, and then has nothing to be read.
  if (std::filesystem::is_directory(file)) throw wrong{file + " can't be read: it is a directory"};
  std::stringstream text;
  text << in.rdbuf();
  try {
    return toml::parse(text.str(), file);
  } catch (const toml::parse_error& why) {
    throw wrong{fmt::format("{}:{}: {}", file, why.source().begin.line, why.description())};
  }
}

}  // namespace

tl::expected<settings, std::string> load_settings(const std::string& file,
                                                  const std::vector<std::string>& overrides) {
  static const std::set<std::string_view> sections{
      "node",      "listen", "storage",  "runtime",      "front_door", "keys",
      "mail",      "demo",   "waves",    "log",          "operators",  "programme",
      "passwords", "clock",  "overload", "waiting_room", "limits"};
  try {
    auto all = parse_file(file);
    for (const auto& one : overrides) lay_over(all, one);
    for (const auto& [key, value] : all)
      if (!sections.contains(key.str())) throw wrong{fmt::format("{} is not known", key.str())};
    settings read;
    read_rest(all, read);
    read_storage(table_in(all, "storage"), read);
    read_runtime(table_in(all, "runtime"), read);
    read_front_door(table_in(all, "front_door"), read);
    read_overload(table_in(all, "overload"), read);
    read_limits(table_in(all, "limits"), read.limits);
    read_waiting_room(table_in(all, "waiting_room"), read.waiting_room);
    read_mail(table_in(all, "mail"), read.mail);
    read_passwords(table_in(all, "passwords"), read);
    read_clock(table_in(all, "clock"), read);
    read_demo(table_in(all, "demo"), read);
    read_waves(table_in(all, "waves"), read);
    return read;
  } catch (const wrong& found) {
    return tl::unexpected(found.what);
  }
}

}  // namespace gelombang::command
