#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gelombang::net {

/// Which places have been let in: one bit a place, in memory of a fixed size. A word is the number
/// of its lap around the ring and 32 bits, so that a place of a later lap clears it by itself, and
/// one that was overtaken is never taken for fresh. Thread-safe, without locks.
class used_places {
public:
  enum class taking : std::uint8_t {
    fresh,  ///< and used from now on
    used,
    too_old,  ///< a place that came `size()` later has taken over its bit
  };

  /// @param places  rounded up to a power of two, 64 at least; two bits each.
  explicit used_places(std::size_t places);

  /// Of all who take the same place at once, exactly one finds it fresh.
  taking take(std::uint64_t place);
  /// What `take` would find now.
  taking look(std::uint64_t place) const;
  /// Makes a place fresh again, if its bit is still its own.
  void give_back(std::uint64_t place);

  std::size_t size() const { return words_.size() * places_in_word; }
  /// Places are told apart up to here.
  std::uint64_t places_end() const { return std::uint64_t{size()} << 32; }

private:
  static constexpr std::size_t places_in_word = 32;

  struct position {
    std::size_t word;
    std::uint64_t lap;  ///< in the upper half
    std::uint64_t bit;
  };
  position position_of(std::uint64_t place) const;

  std::vector<std::atomic<std::uint64_t>> words_;
  unsigned lap_shift_;
};

}  // namespace gelombang::net
