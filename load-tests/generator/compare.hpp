#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "load-tests/generator/run_result.hpp"

namespace gelombang::load {

struct comparing {
  /// The served rate or the p99 of the later run may be worse by this share of the earlier one's.
  double worse_share_max = 0.10;
  std::size_t resamples = 1000;
  std::uint64_t seed = 1;
};

enum class difference : std::uint8_t {
  similar,       ///< below the share allowed, or one of them is missing
  within_noise,  ///< as the seconds of each run differ among themselves
  better,
  worse,
  regression  ///< worse by more than the share allowed, and not by chance
};

/// A relative change: 0.1 is a tenth more.
struct change_range {
  double least = 0, most = 0;
};

struct compared {
  std::string what;
  std::optional<double> before, after;
  std::optional<double>
      change;  ///< relative, where both are known and there is something to relate to
  std::optional<change_range> range;  ///< in which 95 % of resampled changes lie
  difference verdict = difference::similar;
};

struct comparison {
  /// The served rate and the p99 first: they decide. What follows is there to explain them.
  std::vector<compared> rows;
  std::vector<std::string> remarks;
  bool is_regression = false;  ///< of the exit code
};

/// Compares what two runs found of the same work.
///
/// Whether a change is more than noise is asked of the runs' own seconds by the circular block
/// bootstrap: seconds are drawn again with replacement in blocks of the cube root of their number,
/// because neighbours are alike (Künsch, The Jackknife and the Bootstrap for General Stationary
/// Observations, Annals of Statistics 17, 1989; the circle is Politis and Romano, 1992; the length
/// Hall, Horowitz and Jing, Biometrika 82, 1995). Where both runs have equally many seconds, the
/// same ones are drawn of both, so that the schedule's own ups and downs count for nothing. A
/// change is within noise when the middle 95 % of the resampled changes have 0 among them. In runs
/// of fewer than ten measured seconds, nothing is said of noise, and the change alone decides.
comparison compare(const run_result& before, const run_result& after, const comparing& how = {});

std::string comparison_text(const comparison& of);

}  // namespace gelombang::load
