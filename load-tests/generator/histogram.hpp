#pragma once

#include <algorithm>
#include <bit>
#include <boost/json/value.hpp>
#include <cassert>
#include <cstdint>
#include <limits>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace gelombang::load {

/// What a histogram tells apart, in microseconds; longer times are counted in the last bucket.
constexpr std::uint64_t histogram_us_max = 3'600'000'000;
/// More than this in one histogram is no count of requests; what is read is refused above it.
constexpr std::uint64_t histogram_count_max = std::uint64_t{1} << 53;

/// Values below 2^8 have a bucket each; every doubling above has 2^7 of equal width, so a bucket is
/// never wider than 1/128 of what it holds. It is HdrHistogram's layout
/// (https://github.com/HdrHistogram/HdrHistogram, AbstractHistogram.getBucketIndex,
/// countsArrayIndex) with subBucketCount 256 and unitMagnitude 0.
struct bucket_layout {
  static constexpr unsigned exact_bits = 8;
  static constexpr std::uint64_t half = std::uint64_t{1} << (exact_bits - 1);

  static constexpr std::uint32_t index_of(std::uint64_t microseconds) {
    const auto value = std::min(microseconds, histogram_us_max);
    const auto doublings =
        static_cast<unsigned>(std::bit_width(value | ((half << 1) - 1))) - exact_bits;
    return static_cast<std::uint32_t>(doublings * half + (value >> doublings));
  }

  static constexpr std::uint64_t low_of(std::uint32_t index) {
    if (index < 2 * half) return index;
    const auto doublings = index / half - 1;
    assert(doublings < 64);
    return (index - doublings * half) << doublings;
  }

  /// HdrHistogram's "highest equivalent value".
  static constexpr std::uint64_t high_of(std::uint32_t index) { return low_of(index + 1) - 1; }
};

constexpr std::uint32_t histogram_buckets = bucket_layout::index_of(histogram_us_max) + 1;

/// What a histogram knows beside its counts.
struct histogram_totals {
  std::uint64_t count = 0;
  std::uint64_t min = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t max = 0;
  /// Stays at its largest value instead of passing it.
  std::uint64_t sum = 0;
  /// How many were longer than `histogram_us_max`.
  std::uint64_t beyond = 0;

  void record(std::uint64_t microseconds, std::uint64_t times);
  void merge(const histogram_totals& other);
  bool operator==(const histogram_totals&) const = default;
};

/// A histogram as it is kept for a second of a run and in files: the buckets that hold something.
struct sparse_histogram {
  struct entry {
    std::uint32_t bucket = 0;
    std::uint64_t count = 0;
    bool operator==(const entry&) const = default;
  };

  /// By bucket, ascending; none is empty.
  std::vector<entry> entries;
  histogram_totals totals;

  void merge(const sparse_histogram& other);
  bool operator==(const sparse_histogram&) const = default;
};

/// Counts of microseconds with a relative error of at most 1/128 from 1 µs to 1 h, 26 KB each.
/// Recording allocates nothing. Not for several threads at once: each has its own, and they merge.
class histogram {
public:
  histogram() : counts_(histogram_buckets) {}
  explicit histogram(const sparse_histogram& from) : histogram() { merge(from); }

  void record(std::uint64_t microseconds) {
    ++counts_[bucket_layout::index_of(microseconds)];
    totals_.record(microseconds, 1);
  }
  void record_many(std::uint64_t microseconds, std::uint64_t times);
  void merge(const histogram& other);
  void merge(const sparse_histogram& other);
  void clear();

  std::uint64_t count() const { return totals_.count; }
  std::uint64_t beyond() const { return totals_.beyond; }
  /// Exact, as are `max` and `mean`. All are 0 without values.
  std::uint64_t min() const { return totals_.count ? totals_.min : 0; }
  std::uint64_t max() const { return totals_.max; }
  double mean() const;
  /// The value that a share of `share` (0 to 1) of all does not pass: the upper edge of the bucket
  /// in which the ceil(share × count)-th smallest lies, at most `max`. In the last bucket it is
  /// `max`, so that what is longer than the histogram tells apart is never made shorter.
  std::uint64_t quantile(double share) const;

  /// Calls `visit(low, high, count)` for each bucket that holds something, ascending; `low` and
  /// `high` are both within it.
  template <class Visit>
  void for_each_bucket(Visit&& visit) const {
    if (totals_.count == 0) return;
    const auto last = bucket_layout::index_of(totals_.max);
    for (auto index = bucket_layout::index_of(totals_.min); index <= last; ++index) {
      if (counts_[index] == 0) continue;
      visit(bucket_layout::low_of(index), bucket_layout::high_of(index), counts_[index]);
    }
  }

  sparse_histogram sparse() const;
  bool operator==(const histogram&) const = default;

private:
  std::vector<std::uint64_t> counts_;
  histogram_totals totals_;
};

/// {"min", "max", "sum", "beyond", "counts": [[bucket, count], …]}, times in microseconds.
boost::json::value to_json(const sparse_histogram& from);

/// The exact inverse of `to_json`.
/// @param pointer where `json` stands in its document, for the text of an error.
/// @returns a JSON pointer and the reason when buckets are unknown, empty or out of order, or when
/// the totals cannot belong to these counts.
tl::expected<sparse_histogram, std::string> histogram_from_json(const boost::json::value& json,
                                                                const std::string& pointer);

}  // namespace gelombang::load
