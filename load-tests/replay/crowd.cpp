#include "load-tests/replay/crowd.hpp"

#include <bit>
#include <cstring>
#include <numeric>

namespace gelombang::load::replay {
namespace {

/// Something near the golden section of `size` that has no factor with it: steps of it visit every
/// place of a circle once, and neighbours land far apart.
std::uint64_t stride_for(std::uint64_t size) {
  auto stride = static_cast<std::uint64_t>(static_cast<double>(size) * 0.6180339887498949);
  while (stride < 1 || std::gcd(stride, size) != 1) ++stride;
  return stride;
}

constexpr std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

}  // namespace

std::uint64_t bits::count() const {
  std::uint64_t sum = 0;
  for (const auto one : words_) sum += static_cast<std::uint64_t>(std::popcount(one));
  return sum;
}

std::string bits::text() const {
  std::string text(8 + words_.size() * 8, '\0');
  std::memcpy(text.data(), &people_, 8);
  std::memcpy(text.data() + 8, words_.data(), words_.size() * 8);
  return text;
}

bool bits::read(std::string_view text) {
  std::uint64_t people = 0;
  if (text.size() != 8 + words_.size() * 8) return false;
  std::memcpy(&people, text.data(), 8);
  if (people != people_) return false;
  std::memcpy(words_.data(), text.data() + 8, words_.size() * 8);
  return true;
}

crowd::crowd(const plan& all) : all_(all), members_(all.people()), joined_(all.people()) {
  for (const auto& one : all.cohorts) strides_.push_back(stride_for(one.size()));
}

std::size_t crowd::cohort_of(std::uint64_t number) const {
  const auto holds = [&](std::size_t which) {
    const auto& one = all_.cohorts[which];
    return number >= one.first && number - one.first < one.size();
  };
  // People are asked about one after the other.
  if (!holds(last_)) {
    last_ = 0;
    while (!holds(last_)) ++last_;
  }
  return last_;
}

std::size_t crowd::acts_of(std::uint64_t number) const {
  const auto which = cohort_of(number);
  const auto& own = all_.cohorts[which];
  const auto place = (number - own.first) * strides_[which] % own.size();
  std::size_t done = 1;
  while (done < funnel_acts && place < own.counts[done]) ++done;
  return done;
}

std::optional<std::uint64_t> doers::next() {
  for (; at_ <= to_; ++at_)
    if (of_.acts_of(at_) >= acts_) return at_++;
  return std::nullopt;
}

joiners::joiners(const crowd& of, const bits& joined, const step& which)
    : of_(of), joined_(joined), joins_(which.joins), last_(which.accounts_so_far) {
  for (std::uint64_t number = 1; number <= last_; ++number) free_ += is_free(number) ? 1 : 0;
  if (free_ != 0) phase_ = mixed(which.wave) % free_;
}

bool joiners::is_free(std::uint64_t number) const {
  return !of_.members().at(number) && !joined_.at(number) && of_.is_ready(number);
}

std::optional<std::uint64_t> joiners::next() {
  while (at_ <= last_) {
    const auto number = at_++;
    if (!is_free(number)) continue;
    // Of every full circle of `free_` in steps of `joins_`, exactly `joins_` begin a new round.
    phase_ += joins_;
    if (phase_ < free_) continue;
    phase_ -= free_;
    if (number >= from_) return number;
  }
  return std::nullopt;
}

}  // namespace gelombang::load::replay
