#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "actors/programme/clock.hpp"
#include "actors/wave/draw/roster.hpp"
#include "actors/wave/draw/walk.hpp"

namespace gelombang::draw {

inline constexpr std::size_t beacon_value_bytes_max = 1024;
inline constexpr std::size_t operator_secret_bytes_max = 1024;
inline constexpr std::size_t summary_bytes_max = 16u << 20;

struct region_summary {
  region_code region;
  std::uint64_t weight = 0;
  std::uint32_t applicants = 0;
  std::uint32_t usable = 0;
  std::uint32_t seats = 0;
  std::uint32_t accepted = 0;    ///< once drawn; then it equals `seats`
  std::optional<digest> cutoff;  ///< once drawn

  friend bool operator==(const region_summary&, const region_summary&) = default;
};

/// What becomes known with the draw. Values and secrets are raw bytes.
struct disclosure {
  std::string beacon_value;
  std::string operator_secret;
  digest seed{};

  friend bool operator==(const disclosure&, const disclosure&) = default;
};

/// That a draw will never be made: its wave was cancelled after the commitment.
struct cancellation {
  std::optional<instant> at = {};  ///< unknown of waves of before it was kept
  std::string reason = {};         ///< one line; empty: none is on record

  friend bool operator==(const cancellation&, const cancellation&) = default;
};

/// The published summary of a draw: from the commitment on, and whole once it is drawn.
struct summary {
  wave_number wave;
  std::uint32_t entries = 0;
  digest roster_root{};
  std::uint32_t quota = 0;
  std::uint32_t minimum_per_region = 0;
  std::vector<group> groups;
  std::string beacon_source;
  std::uint64_t beacon_round = 0;
  digest operator_secret_hash{};
  std::optional<disclosure> drawn;
  std::vector<region_summary> regions;  ///< every region of the wave, by code
  /// Told by whoever shows the summary; never in the files, which are as they were committed to.
  std::optional<cancellation> cancelled = {};

  friend bool operator==(const summary&, const summary&) = default;
};

/// One line of JSON in the order of the contract; behind all that, and only of a cancelled wave,
/// `state` ("cancelled"), `cancelled_at` and `cancel_reason`, either of which may be null. What the
/// draw will make known (`beacon_value`, `operator_secret`, `seed`, and each region's `accepted`
/// and `cutoff`) is null until then.
std::string to_json(const summary& published);

/// Reads a summary that anybody wrote: members in any order, others ignored.
/// @returns the member at fault and why.
tl::expected<summary, std::string> read_summary(std::string_view json);

/// The committed parameters in a summary.
parameters parameters_of(const summary& published);

/// The part of a summary that is known before the draw, from what is committed and the roster.
/// @returns `region_unknown` when the roster has a region without a weight.
result<summary> summarise(const parameters& committed, std::uint32_t entries,
                          const digest& roster_root, const census& counted);

/// Whole seats by region, as `walk` takes them.
std::vector<region_seats> seats_of(const summary& published);

}  // namespace gelombang::draw
