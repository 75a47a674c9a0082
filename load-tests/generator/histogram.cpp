#include "load-tests/generator/histogram.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "load-tests/generator/json_place.hpp"

namespace gelombang::load {
namespace {

std::uint64_t saturating_sum(std::uint64_t one, std::uint64_t other) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(one, other, &sum) ? std::numeric_limits<std::uint64_t>::max() : sum;
}

std::uint64_t saturating_product(std::uint64_t one, std::uint64_t other) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(one, other, &product) ? std::numeric_limits<std::uint64_t>::max()
                                                      : product;
}

/// The bounds between which the values' sum must lie, by their buckets.
struct sum_bounds {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};

sum_bounds bounds_of(const sparse_histogram& of) {
  sum_bounds bounds;
  for (const auto& one : of.entries) {
    const auto last = one.bucket == histogram_buckets - 1;
    const auto high = last ? of.totals.max : bucket_layout::high_of(one.bucket);
    bounds.least = saturating_sum(bounds.least,
                                  saturating_product(bucket_layout::low_of(one.bucket), one.count));
    bounds.most = saturating_sum(bounds.most, saturating_product(high, one.count));
  }
  return bounds;
}

sparse_histogram::entry read_entry(const boost::json::value& json, const json_place& list,
                                   std::size_t position) {
  const auto* pair = json.if_array();
  const auto number = [&](std::size_t which) -> std::optional<std::uint64_t> {
    return pair && pair->size() == 2 ? as_whole_number((*pair)[which]) : std::nullopt;
  };
  const auto bucket = number(0);
  const auto count = number(1);
  if (!bucket || !count) list.at(position).fail("is not [bucket, count]");
  if (*bucket >= histogram_buckets) list.at(position).fail("names a bucket that does not exist");
  if (*count == 0) list.at(position).fail("counts nothing");
  if (*count > histogram_count_max) list.at(position).fail("counts too many");
  return {static_cast<std::uint32_t>(*bucket), *count};
}

void read_entries(const json_place& list, sparse_histogram& into) {
  const auto& array = list.list(histogram_buckets);
  into.entries.reserve(array.size());
  for (std::size_t i = 0; i != array.size(); ++i) {
    into.entries.push_back(read_entry(array[i], list, i));
    if (i > 0 && into.entries[i - 1].bucket >= into.entries[i].bucket) {
      list.at(i).fail("is out of order");
    }
    into.totals.count += into.entries[i].count;
    if (into.totals.count > histogram_count_max) list.at(i).fail("counts too many");
  }
}

void check_totals(const json_place& from, const sparse_histogram& read) {
  const auto& totals = read.totals;
  if (read.entries.empty()) {
    if (totals.max || totals.sum || totals.beyond) from.fail("has totals of nothing");
    return;
  }
  if (bucket_layout::index_of(totals.min) != read.entries.front().bucket) {
    from.member("min").fail("is not in the first bucket");
  }
  if (bucket_layout::index_of(totals.max) != read.entries.back().bucket ||
      totals.max < totals.min) {
    from.member("max").fail("is not in the last bucket");
  }
  const auto has_beyond = totals.max > histogram_us_max;
  if (has_beyond != (totals.beyond > 0) || totals.beyond > read.entries.back().count) {
    from.member("beyond").fail("does not fit the longest");
  }
  const auto bounds = bounds_of(read);
  if (totals.sum < bounds.least || totals.sum > bounds.most) {
    from.member("sum").fail("does not fit the counts");
  }
}

}  // namespace

void histogram_totals::record(std::uint64_t microseconds, std::uint64_t times) {
  count += times;
  min = std::min(min, microseconds);
  max = std::max(max, microseconds);
  sum = saturating_sum(sum, saturating_product(microseconds, times));
  if (microseconds > histogram_us_max) beyond += times;
}

void histogram_totals::merge(const histogram_totals& other) {
  count += other.count;
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  sum = saturating_sum(sum, other.sum);
  beyond += other.beyond;
}

void sparse_histogram::merge(const sparse_histogram& other) {
  std::vector<entry> merged;
  merged.reserve(entries.size() + other.entries.size());
  auto mine = entries.begin();
  auto theirs = other.entries.begin();
  while (mine != entries.end() || theirs != other.entries.end()) {
    if (theirs == other.entries.end() || (mine != entries.end() && mine->bucket < theirs->bucket)) {
      merged.push_back(*mine++);
    } else if (mine == entries.end() || theirs->bucket < mine->bucket) {
      merged.push_back(*theirs++);
    } else {
      merged.push_back({mine->bucket, mine->count + theirs->count});
      ++mine;
      ++theirs;
    }
  }
  entries = std::move(merged);
  totals.merge(other.totals);
}

void histogram::record_many(std::uint64_t microseconds, std::uint64_t times) {
  if (times == 0) return;
  counts_[bucket_layout::index_of(microseconds)] += times;
  totals_.record(microseconds, times);
}

void histogram::merge(const histogram& other) {
  for (std::uint32_t index = 0; index != histogram_buckets; ++index) {
    counts_[index] += other.counts_[index];
  }
  totals_.merge(other.totals_);
}

void histogram::merge(const sparse_histogram& other) {
  for (const auto& one : other.entries) counts_[one.bucket] += one.count;
  totals_.merge(other.totals);
}

void histogram::clear() {
  std::fill(counts_.begin(), counts_.end(), 0);
  totals_ = {};
}

double histogram::mean() const {
  if (totals_.count == 0) return 0;
  return static_cast<double>(totals_.sum) / static_cast<double>(totals_.count);
}

std::uint64_t histogram::quantile(double share) const {
  if (totals_.count == 0) return 0;
  // As HdrHistogram has it: a share that binary fractions only approach (0.07 of 100) must not
  // round up to the next value.
  const auto below = std::nextafter(std::clamp(share, 0.0, 1.0), 0.0);
  const auto wanted = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(below * static_cast<double>(totals_.count))), 1,
      totals_.count);
  std::uint64_t seen = 0;
  for (auto index = bucket_layout::index_of(totals_.min); index != histogram_buckets - 1; ++index) {
    seen += counts_[index];
    if (seen >= wanted) return std::min(bucket_layout::high_of(index), totals_.max);
  }
  return totals_.max;
}

sparse_histogram histogram::sparse() const {
  sparse_histogram result;
  result.totals = totals_;
  for_each_bucket([&](std::uint64_t low, std::uint64_t, std::uint64_t count) {
    result.entries.push_back({bucket_layout::index_of(low), count});
  });
  return result;
}

boost::json::value to_json(const sparse_histogram& from) {
  boost::json::array counts;
  counts.reserve(from.entries.size());
  for (const auto& one : from.entries) {
    counts.emplace_back(boost::json::array{one.bucket, one.count});
  }
  const auto& totals = from.totals;
  return boost::json::object{{"min", totals.count ? totals.min : 0},
                             {"max", totals.max},
                             {"sum", totals.sum},
                             {"beyond", totals.beyond},
                             {"counts", std::move(counts)}};
}

tl::expected<sparse_histogram, std::string> histogram_from_json(const boost::json::value& json,
                                                                const std::string& pointer) {
  try {
    const json_place from{json, pointer};
    from.has_only({"min", "max", "sum", "beyond", "counts"});
    sparse_histogram read;
    read_entries(from.member("counts"), read);
    constexpr auto any = std::numeric_limits<std::uint64_t>::max();
    const auto least = from.member("min").whole_number(any);
    if (read.entries.empty() && least > 0) from.member("min").fail("is of nothing");
    if (!read.entries.empty()) read.totals.min = least;
    read.totals.max = from.member("max").whole_number(any);
    read.totals.sum = from.member("sum").whole_number(any);
    read.totals.beyond = from.member("beyond").whole_number(any);
    check_totals(from, read);
    return read;
  } catch (const json_fault& fault) {
    return tl::unexpected(fault.what);
  }
}

}  // namespace gelombang::load
