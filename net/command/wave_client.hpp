#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gelombang::command {

/// What an operator can tell a wave over HTTP.
enum class wave_order : std::uint8_t { create, open, close, commit, draw, announce, cancel, show };

/// The names of the command line.
std::optional<wave_order> wave_order_named(std::string_view name);

struct wave_plan {
  std::string scheme = {};
  std::string opens_at = {}, closes_at = {};  ///< RFC 3339
  std::uint64_t quota = 0;
  std::optional<std::uint64_t> minimum_per_region = {};
  std::vector<std::pair<std::string, std::uint32_t>> groups = {};  ///< name, share in permille
  /// Region, weight; empty: by population.
  std::vector<std::pair<std::string, std::uint64_t>> weights = {};
};

struct wave_commitment {
  std::string beacon_source = {};
  std::uint64_t beacon_round = 0;
  std::string operator_secret_hash = {};  ///< hex
};

struct wave_disclosure {
  std::string beacon_value = {}, operator_secret = {};  ///< hex
};

/// One command with its options, as they were given: the server judges them. What an order does not
/// use is left alone.
struct wave_request {
  wave_order order = wave_order::show;
  std::string url = "http://127.0.0.1:8080";
  std::string token = {};
  std::uint32_t wave = 0;  ///< 0: the current one, for `show` only
  std::chrono::milliseconds timeout{std::chrono::minutes{10}};  ///< a draw takes its time
  wave_plan create = {};
  wave_commitment commit = {};
  wave_disclosure draw = {};
  std::string cancel_reason = {};
};

/// Sends the request and prints the JSON answer to `out`, or what the problem says to `complaints`.
/// @returns 0 when it was done (2xx), 1 when it was refused (4xx), 2 when the options make no
///   request (no wave's number, a line break in the token), 3 when the server can't be reached, or
///   fails (5xx).
int wave_command(const wave_request& request, std::FILE* out = stdout,
                 std::FILE* complaints = stderr);

}  // namespace gelombang::command
