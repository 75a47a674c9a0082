#pragma once

#include <string>
#include <vector>

#include "actors/programme/sha256.hpp"
#include "actors/wave/draw/draw.hpp"

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

}  // namespace gelombang::draw::testing
