#include "actors/wave/draw/weights.hpp"

#include <fmt/format.h>

#include "actors/programme/format.hpp"
#include "actors/programme/hex.hpp"

namespace gelombang::draw {
namespace {

std::string line_of(region_code code, std::uint64_t weight) {
  return fmt::format("{},{}\n", code, weight);
}

}  // namespace

digest weights_sha256(const summary& published) {
  std::string lines;
  for (const auto& one : published.regions) lines += line_of(one.region, one.weight);
  return sha256(lines);
}

digest weights_sha256(const region_table& table) {
  std::string lines;
  for (const auto& one : table.all()) lines += line_of(one.code, one.population);
  return sha256(lines);
}

std::string describe_weights(const summary& published, const region_table& standard) {
  const auto found = weights_sha256(published);
  return fmt::format("weights of {} regions, SHA-256 {}: {}\n", published.regions.size(),
                     to_hex(found),
                     found == weights_sha256(standard)
                         ? "the populations of this program's table of regions"
                         : "not the populations of this program's table of regions, but an "
                           "operator's, or another table's");
}

}  // namespace gelombang::draw
