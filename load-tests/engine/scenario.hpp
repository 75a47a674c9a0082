#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "load-tests/generator/arrivals.hpp"
#include "load-tests/generator/run_result.hpp"

namespace gelombang::load {

/// What a person does in one step. The names are those of the scenario's files.
enum class act : std::uint8_t {
  schedule,    ///< GET /v1/waves/current, with the tag of the last answer
  sign_up,     ///< POST /v1/accounts
  verify,      ///< POST /v1/accounts/verify with the mailed code; keeps the tokens
  sign_in,     ///< POST /v1/sessions with the password; keeps the tokens
  refresh,     ///< POST /v1/sessions/refresh; keeps the tokens
  me,          ///< GET /v1/me
  identity,    ///< PUT /v1/me/identity
  profile,     ///< PUT /v1/me/profile
  assessment,  ///< POST /v1/me/assessment
  join,        ///< POST /v1/waves/{wave}/join
  withdraw,    ///< DELETE /v1/waves/{wave}/join
  status,      ///< GET /v1/me/waves/{wave}, with the tag of the last answer
  request      ///< method and path of the step's own
};
inline constexpr std::size_t acts = 13;
std::string_view name_of(act what);
std::optional<act> act_named(std::string_view name);

/// A time that is drawn anew for each person: evenly between the two.
struct span_of_time {
  std::chrono::nanoseconds least{0}, most{0};
};

/// One step of a persona.
struct step {
  act what = act::request;
  std::string label;   ///< under which it is counted; by default the act's name
  double go_on = 1;    ///< share of the people who get here that take it; others leave
  span_of_time pause;  ///< before it, since the end of the one before
  std::uint32_t repeat_least = 1, repeat_most = 1;
  double twice = 0;  ///< share that clicks twice, at once, on two connections
  double cut = 0;    ///< share that loses the connection before the answer, and repeats
  double slow = 0;   ///< share that sends `slow_bytes_per_second`
  std::uint32_t slow_bytes_per_second = 64;
  std::uint32_t tries = 1;  ///< attempts in all, where the answer is 429, 503 or none
  bool insists = false;     ///< goes on with its steps also where this one fails
  std::string method = "GET", path, body;  ///< of `act::request`
  std::size_t index = 0;                   ///< among all steps of the scenario
};

/// How people of a persona come to be.
enum class choice : std::uint8_t {
  each_once,  ///< the next one who has not come yet; when there is none left, nobody comes
  in_turn,    ///< likewise, from the first again
  any         ///< at random
};

struct persona {
  std::string name;
  double weight = 1;  ///< among the personas of a phase
  std::vector<step> steps;
  choice who = choice::each_once;
  std::uint64_t first = 1, count = 0;  ///< numbers of the people; a count of 0: all there are
  std::uint32_t addresses = 0;         ///< source addresses, 0: the scenario's
  bool keeps_connection = false;       ///< one for all steps, instead of one for each
};

/// A stretch of time in which people arrive.
struct phase {
  std::string name;
  arrivals_plan arrivals;
  std::vector<double> weights;  ///< of the scenario's personas
  bool measured = true;         ///< its answers count for the thresholds
};

/// What the operator does, at a time since the start.
struct operator_order {
  std::chrono::nanoseconds at{0};
  std::string order;  ///< open, close, commit, draw, announce, cancel
  std::string body;   ///< JSON, for `commit` and `draw`
};

struct scenario {
  std::string name, explanation;
  std::uint64_t seed = 1;
  std::string wave = "current";        ///< of join, withdraw and status
  std::string create_wave;             ///< JSON of a wave that is made before the start, and joined
  std::uint32_t source_addresses = 1;  ///< from 127.0.0.0/8, where the target is there too
  bool keep_alive = false;             ///< connections are kept and shared by all people
  std::uint32_t connections_max = 10'000;  ///< at once, of each thread; who finds none free waits
  std::chrono::milliseconds patience{10'000};  ///< for an answer
  std::chrono::seconds drain{30};  ///< after the last arrival, for those still under way
  std::string password = "kata sandi saya";
  std::vector<persona> personas;
  std::vector<phase> phases;
  std::vector<operator_order> orders;
  std::vector<threshold> thresholds;
};

/// Reads a scenario. Every fault names the key and what would be right; unknown keys are faults.
tl::expected<scenario, std::string> scenario_in(std::string_view toml, std::string_view file,
                                                const std::filesystem::path& directory);
tl::expected<scenario, std::string> load_scenario(const std::filesystem::path& file);

}  // namespace gelombang::load
