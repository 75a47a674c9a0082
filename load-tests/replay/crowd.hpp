#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "load-tests/replay/plan.hpp"

namespace gelombang::load::replay {

/// A bit a person, numbered from 1.
class bits {
public:
  explicit bits(std::uint64_t people) : people_(people), words_(people / 64 + 1) {}

  bool at(std::uint64_t number) const { return (words_[number / 64] >> number % 64 & 1u) != 0; }
  void set(std::uint64_t number) { words_[number / 64] |= std::uint64_t{1} << number % 64; }
  void clear() { words_.assign(words_.size(), 0); }
  std::uint64_t count() const;

  /// As they are kept in a file, with how many people they are of. @returns false for other bytes.
  std::string text() const;
  [[nodiscard]] bool read(std::string_view text);

private:
  std::uint64_t people_;
  std::vector<std::uint64_t> words_;
};

/// Everybody of a replay. How far each goes follows from his number; who is a member, and who has
/// joined the wave under way, is two bits each, and nothing else is kept of anybody. For one
/// thread.
class crowd {
public:
  explicit crowd(const plan& all);

  /// The acts of the funnel that somebody does: 1 (only the address) to `funnel_acts`.
  std::size_t acts_of(std::uint64_t number) const;
  bool is_ready(std::uint64_t number) const { return acts_of(number) == funnel_acts; }
  std::size_t cohort_of(std::uint64_t number) const;

  bits& members() { return members_; }
  const bits& members() const { return members_; }
  bits& joined() { return joined_; }
  const bits& joined() const { return joined_; }

private:
  const plan& all_;
  std::vector<std::uint64_t> strides_;  ///< by cohort: what spreads its people over the funnel
  bits members_, joined_;
  mutable std::size_t last_ = 0;  ///< the cohort that was asked about last
};

/// People in the order of their numbers, from a place on. For one thread.
class people_stream {
public:
  virtual ~people_stream() = default;
  virtual std::optional<std::uint64_t> next() = 0;
};

/// Those between `from` and `to` who do one act of the funnel.
class doers final : public people_stream {
public:
  doers(const crowd& of, act what, std::uint64_t from, std::uint64_t to)
      : of_(of), acts_(static_cast<std::size_t>(what) + 1), at_(from), to_(to) {}
  std::optional<std::uint64_t> next() override;

private:
  const crowd& of_;
  std::size_t acts_;
  std::uint64_t at_, to_;
};

/// Those who join by one step: exactly `step.joins` of all who are ready, no members and have not
/// joined the wave, spread evenly over them.
class joiners final : public people_stream {
public:
  joiners(const crowd& of, const bits& joined, const step& which);

  std::optional<std::uint64_t> next() override;
  /// Leaves out those before `number`.
  void skip_to(std::uint64_t number) { from_ = number; }

private:
  bool is_free(std::uint64_t number) const;

  const crowd& of_;
  const bits& joined_;
  std::uint64_t joins_, last_;
  std::uint64_t free_ = 0;   ///< how many could join
  std::uint64_t phase_ = 0;  ///< so that not the same ones are chosen in each wave
  std::uint64_t at_ = 1, from_ = 1;
};

}  // namespace gelombang::load::replay
