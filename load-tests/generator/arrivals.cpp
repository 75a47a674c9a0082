#include "load-tests/generator/arrivals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace gelombang::load {
namespace {

using std::chrono::nanoseconds;

/// An arrival that the whole expects by less than this is rounding, and would come at its very end.
constexpr double count_tolerance = 1e-6;

double seconds_of(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

bool is_rate(double rate) {
  return std::isfinite(rate) && rate >= 0 && rate <= arrivals_per_second_max;
}

std::string rate_refused(double rate) {
  return fmt::format("a rate of {} is not between 0 and {} a second", rate,
                     arrivals_per_second_max);
}

std::string duration_refused(nanoseconds duration) {
  return fmt::format("a duration of {} s is not above 0 and at most {} h", seconds_of(duration),
                     arrivals_duration_max.count());
}

struct counted_second {
  std::uint64_t second = 0;
  std::uint64_t count = 0;
};

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stopped, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc{} || stopped != end || text.empty()) return std::nullopt;
  return number;
}

tl::expected<counted_second, std::string> read_line(std::string_view line) {
  const auto comma = line.find(',');
  if (comma == std::string_view::npos) return tl::unexpected<std::string>("is not second,count");
  const auto second = whole_number(line.substr(0, comma));
  const auto count = whole_number(line.substr(comma + 1));
  if (!second || !count) return tl::unexpected<std::string>("is not second,count in whole numbers");
  if (*second >= replay_seconds_max) {
    return tl::unexpected(fmt::format("is after the last second, {}", replay_seconds_max - 1));
  }
  if (static_cast<double>(*count) > arrivals_per_second_max) {
    return tl::unexpected(fmt::format("counts more than {}", arrivals_per_second_max));
  }
  return counted_second{*second, *count};
}

/// Cuts the first line off `text`, without its end, be that LF or CR LF.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

tl::expected<std::vector<counted_second>, std::string> read_counts(std::string_view csv,
                                                                   std::string_view file) {
  std::vector<counted_second> counts;
  if (take_line(csv) != "second,count") {
    return tl::unexpected(fmt::format("{}:1: is not the header second,count", file));
  }
  for (std::size_t number = 2; !csv.empty(); ++number) {
    const auto read = read_line(take_line(csv));
    if (!read) return tl::unexpected(fmt::format("{}:{}: {}", file, number, read.error()));
    if (!counts.empty() && counts.back().second >= read->second) {
      return tl::unexpected(fmt::format("{}:{}: second {} is not after {}, the one before", file,
                                        number, read->second, counts.back().second));
    }
    counts.push_back(*read);
  }
  if (counts.empty()) return tl::unexpected(fmt::format("{}:2: counts no second", file));
  return counts;
}

/// A number above 0 and at most 1, by 53 random bits. The standard's own distributions differ
/// between libraries, and a seed must mean the same everywhere.
double random_share(std::mt19937_64& random) {
  return std::ldexp(static_cast<double>((random() >> 11) + 1), -53);
}

double exponential(std::mt19937_64& random) {
  return -std::log(random_share(random));
}

}  // namespace

double intensity::piece::count_until(double seconds) const {
  const auto slope = (rate_to - rate_from) / seconds_of(length);
  return seconds * (rate_from + slope * seconds / 2);
}

double intensity::piece::total() const {
  return seconds_of(length) * (rate_from + rate_to) / 2;
}

/// Solves rate_from·t + slope·t²/2 = count for t, in the form that subtracts nothing alike (Press
/// et al., Numerical Recipes, 3rd ed., section 5.6).
double intensity::piece::seconds_until(double count) const {
  if (count <= 0) return 0;
  const auto slope = (rate_to - rate_from) / seconds_of(length);
  const auto root = std::sqrt(std::max(0.0, rate_from * rate_from + 2 * slope * count));
  return 2 * count / (rate_from + root);
}

void intensity::append(double rate_from, double rate_to, nanoseconds length) {
  if (length == nanoseconds{0}) return;
  pieces_.push_back({duration(), length, rate_from, rate_to, expected_});
  expected_ += pieces_.back().total();
}

nanoseconds intensity::duration() const {
  return pieces_.empty() ? nanoseconds{0} : pieces_.back().from + pieces_.back().length;
}

intensity::made intensity::checked() && {
  for (const auto& one : pieces_) {
    if (!is_rate(one.rate_from)) return tl::unexpected(rate_refused(one.rate_from));
    if (!is_rate(one.rate_to)) return tl::unexpected(rate_refused(one.rate_to));
    if (one.length < nanoseconds{0}) return tl::unexpected(duration_refused(one.length));
  }
  if (pieces_.empty() || duration() > arrivals_duration_max) {
    return tl::unexpected(duration_refused(duration()));
  }
  return std::move(*this);
}

intensity::made intensity::constant(double per_second, nanoseconds duration) {
  return ramp(per_second, per_second, duration);
}

intensity::made intensity::ramp(double from_per_second, double to_per_second,
                                nanoseconds duration) {
  intensity result;
  result.append(from_per_second, to_per_second, duration);
  return std::move(result).checked();
}

intensity::made intensity::spike(const spike_shape& shape) {
  for (auto time : {shape.at, shape.rise, shape.hold, shape.fall, shape.duration}) {
    if (time < nanoseconds{0} || time > arrivals_duration_max) {
      return tl::unexpected(duration_refused(time));
    }
  }
  const auto end = shape.at + shape.rise + shape.hold + shape.fall;
  if (end > shape.duration) {
    return tl::unexpected(fmt::format("a peak that ends after {} s does not fit into {} s",
                                      seconds_of(end), seconds_of(shape.duration)));
  }
  intensity result;
  result.append(shape.base, shape.base, shape.at);
  result.append(shape.base, shape.peak, shape.rise);
  result.append(shape.peak, shape.peak, shape.hold);
  result.append(shape.peak, shape.base, shape.fall);
  result.append(shape.base, shape.base, shape.duration - end);
  return std::move(result).checked();
}

intensity::made intensity::replay(std::string_view csv, std::string_view file) {
  const auto counts = read_counts(csv, file);
  if (!counts) return tl::unexpected(counts.error());
  intensity result;
  for (const auto& [second, count] : *counts) {
    result.append(0, 0, std::chrono::seconds(second) - result.duration());
    const auto rate = static_cast<double>(count);
    result.append(rate, rate, std::chrono::seconds(1));
  }
  return std::move(result).checked();
}

intensity::made intensity::scaled(double factor) const {
  if (!std::isfinite(factor) || factor <= 0) {
    return tl::unexpected(fmt::format("a scale of {} is not above 0", factor));
  }
  intensity result;
  for (const auto& one : pieces_) {
    result.append(one.rate_from * factor, one.rate_to * factor, one.length);
  }
  return std::move(result).checked();
}

intensity::made intensity::then(const intensity& next) const {
  auto result = *this;
  for (const auto& one : next.pieces_) result.append(one.rate_from, one.rate_to, one.length);
  return std::move(result).checked();
}

std::size_t intensity::piece_at(nanoseconds when) const {
  const auto after =
      std::upper_bound(pieces_.begin(), pieces_.end(), when,
                       [](nanoseconds time, const piece& one) { return time < one.from; });
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(after - pieces_.begin() - 1, 0));
}

double intensity::expected_before(nanoseconds when) const {
  if (when <= nanoseconds{0}) return 0;
  if (when >= duration()) return expected_;
  const auto& one = pieces_[piece_at(when)];
  return one.before + one.count_until(seconds_of(when - one.from));
}

double intensity::rate_at(nanoseconds when) const {
  if (when < nanoseconds{0} || when >= duration()) return 0;
  const auto& one = pieces_[piece_at(when)];
  const auto passed = seconds_of(when - one.from) / seconds_of(one.length);
  return one.rate_from + (one.rate_to - one.rate_from) * passed;
}

arrivals::arrivals(intensity when, spacing how, double first, double step, std::uint64_t seed)
    : when_(std::move(when)), how_(how), due_(first), step_(step), random_(seed) {
  // Time change: a process of this intensity is the unit process seen through the integral's
  // inverse (Çinlar, Introduction to Stochastic Processes, 1975, section 4.7).
  if (how_ == spacing::poisson) due_ = step_ * exponential(random_);
}

std::optional<nanoseconds> arrivals::next() {
  const auto is_over =
      how_ == spacing::even ? due_ >= when_.expected() - count_tolerance : due_ >= when_.expected();
  if (is_over) return std::nullopt;
  last_ = std::max(last_, time_of(due_));
  due_ += how_ == spacing::even ? step_ : step_ * exponential(random_);
  return last_;
}

nanoseconds arrivals::time_of(double count) {
  // Beyond a stretch without arrivals, not before it: who is due when it begins comes after it.
  const auto& pieces = when_.pieces_;
  while (piece_ + 1 < pieces.size() && count >= pieces[piece_ + 1].before) ++piece_;
  const auto& one = pieces[piece_];
  const nanoseconds offset{std::llround(one.seconds_until(count - one.before) * 1e9)};
  return one.from + std::clamp(offset, nanoseconds{0}, one.length - nanoseconds{1});
}

arrivals arrivals_plan::share(std::uint64_t index, std::uint64_t count, std::uint64_t seed) const {
  std::seed_seq mixed{seed & UINT32_MAX, seed >> 32, index & UINT32_MAX, count & UINT32_MAX};
  std::uint32_t words[2];
  mixed.generate(std::begin(words), std::end(words));
  const auto own_seed = std::uint64_t{words[0]} << 32 | words[1];
  return {when, how, static_cast<double>(index), static_cast<double>(count), own_seed};
}

}  // namespace gelombang::load
