#pragma once

#include <string>
#include <vector>

#include "actors/programme/sha256.hpp"
#include "actors/wave/draw/draw.hpp"
#include "actors/wave/wave.pb.h"

/// A draw of three people of one region, as small as one can be that says something.
namespace gelombang::draw::testing {

inline constexpr region_code region_of_three{3201};

inline std::vector<roster_entry> roster_of_three() {
  std::vector<roster_entry> roster(3);
  for (std::uint8_t i = 0; i < 3; ++i) {
    roster[i].id[0] = i;
    roster[i].family = i;
    roster[i].region = region_of_three;
    roster[i].family_room = 2;
  }
  return roster;
}

/// @param secret  the operator's, to be disclosed with the draw
inline parameters parameters_for_three(wave_number wave, std::uint32_t quota,
                                       const std::string& secret) {
  return {.wave = wave,
          .quota = quota,
          .groups = {},
          .weights = {{region_of_three, 10}},
          .beacon_source = "drand",
          .beacon_round = 4321,
          .operator_secret_hash = sha256(secret)};
}

/// The journal's word on a draw of three that has been committed to.
inline wave::wire::State committed_state(const parameters& given, const summary& committed) {
  const auto text = [](const auto& bytes) {
    return std::string{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  };
  wave::wire::State state;
  state.set_number(given.wave.value);
  state.set_phase(wave::wire::COMMITTED);
  state.mutable_plan()->set_quota(given.quota);
  auto& promised = *state.mutable_commitment();
  promised.set_beacon_source(given.beacon_source);
  promised.set_beacon_round(given.beacon_round);
  promised.set_operator_secret_hash(text(given.operator_secret_hash));
  promised.set_roster_root(text(committed.roster_root));
  promised.set_entries(committed.entries);
  promised.set_summary_sha256(text(sha256(to_json(committed))));
  return state;
}

}  // namespace gelombang::draw::testing
