#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "actors/programme/time.hpp"
#include "net/admission_settings.hpp"
#include "net/caller_limit_settings.hpp"
#include "net/guess_limits.hpp"
#include "net/mailer/post_office.hpp"
#include "net/password_pool.hpp"
#include "net/waiting_room/waiting_room.hpp"

namespace gelombang::command {

inline constexpr std::string_view metrics_here = "here";
inline constexpr std::string_view metrics_off = "off";
inline constexpr std::string_view operators_here = "here";

/// Everything that config/*.toml can say; the values here are the embedded default, the same as
/// config/dev.toml. config/README.md explains each.
struct settings {
  struct {
    std::string name = "dev";
  } node;
  struct {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    std::string tls_certificate, tls_key;
    std::string metrics = "here";    ///< or `metrics_off`, or an ADDR:PORT of its own
    std::string operators = "here";  ///< or an ADDR:PORT of their own
  } listen;
  struct {
    std::string data_dir = "var/data";
    std::uint64_t segment_bytes_max = 64u << 20;
    std::uint64_t checkpoint_bytes = 64u << 20;
    std::int64_t checkpoint_interval_seconds = 60;
    std::uint64_t block_cache_bytes = 256u << 20;
  } storage;
  struct {
    std::uint32_t shards = 64;
    std::uint32_t workers = 0;
    std::uint64_t active_actors_max = 1'000'000;
    std::uint32_t idle_seconds = 600;
    std::uint64_t memory_ahead_bytes = 0;
    std::uint64_t requests_in_flight_max = 8192;
  } runtime;
  struct {
    net::guess_rates guesses;
    std::uint32_t io_threads = 0;
    std::uint64_t connections_max = 0;  ///< 0: as connections_within says
    std::uint64_t connections_by_address_max = 20'000;
    std::uint64_t body_bytes_max = 16'384;
    std::uint64_t header_bytes_max = 8'192;
    std::int64_t header_seconds_max = 10;
    std::int64_t body_seconds_max = 20;
    std::int64_t idle_seconds_max = 75;
    std::int64_t answer_seconds_max = 10;
    std::int64_t stop_notice_seconds = 0;
    std::int64_t stop_seconds_max = 4;
    std::uint32_t password_threads = 1;
    std::uint64_t password_queue_max = 64;
  } front_door;
  net::admission_settings overload;
  net::caller_limit_settings limits;
  net::waiting_room_options waiting_room;
  struct {
    std::string file = "var/secret/master.key";
    bool create = true;
  } keys;
  struct {
    net::password_cost cost;
    std::uint32_t cpu_share_permille = 250;
    std::int64_t wait_milliseconds_max = 2000;
  } passwords;
  struct {
    bool is_manual = false;
    instant start{};  ///< of a manual one, on empty data; 1970: now
  } clock;
  mailer::post_office_options mail{.from = "Kartu Pelatihan <no-reply@example.com>"};
  std::vector<std::string> operator_emails;
  struct {
    bool enabled = false;
    std::string operator_email = "operator@example.com";
    std::string operator_password = "buka-gelombang-1";
    std::string applicant_email = "siti@example.com";
    std::string applicant_password = "ikut-gelombang-1";
  } demo;
  struct {
    std::string eligibility = "config/eligibility";
    std::string assessment = "config/assessment.toml";
    std::string regions = "config/regions.csv";
  } programme;
  struct group {
    std::string name;
    std::uint32_t share_permille = 0;
  };
  struct {
    bool automatic = true;
    regular_schedule schedule{.anchor = std::chrono::year{2026} / 1 / 2};
    std::uint32_t created_ahead = 2;
    std::string scheme = "normal-2023";
    std::uint64_t quota = 50'000;
    std::uint32_t minimum_per_region = 10;
    std::vector<group> groups;
  } waves;
  struct {
    std::string level = "info";
    std::string file;
  } log;
};

/// Reads the file, lays `overrides` ("dotted.key=value", values in TOML or bare text) over it and
/// checks every value. An empty `file` is the embedded default.
/// @returns what is wrong: the key and the reason.
tl::expected<settings, std::string> load_settings(const std::string& file,
                                                  const std::vector<std::string>& overrides);

}  // namespace gelombang::command
