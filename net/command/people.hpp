#pragma once

#include <cstdint>
#include <string>

#include "net/command/settings.hpp"

namespace gelombang::command {

struct people_order {
  std::uint64_t applicants = 0;
  std::uint64_t seed = 1;
  std::string role = "applicant";
};

/// Writes synthetic applicants into a stopped node's data; progress on standard error.
int seed(const settings& with, const people_order& order);

/// Prints access tokens of seeded applicants 1 to `applicants`, or one operator's.
/// @returns 0; 2 where there is no data or there are fewer of them; 3 when they can't be read or
///   printed.
int tokens(const settings& with, const people_order& order);

}  // namespace gelombang::command
