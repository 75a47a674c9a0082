#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "actors/programme/clock.hpp"

namespace gelombang::net {

/// How fast a line moves: from the rate at which people can be let in to the rate at which places
/// are called, which is higher, for not everybody comes back. For one thread at a time.
class line_pace {
public:
  /// What the room knows when it asks for the next step.
  struct facts {
    double rate = 0;     ///< people a second who may be let in, with those of before a restart
    double show_up = 1;  ///< the part of called places that somebody comes for
    std::uint64_t serving = 0;      ///< places below are called
    std::uint64_t next = 0;         ///< places below were given out
    std::uint64_t others = 0;       ///< let in since the last step without a place of this line
    std::uint64_t turned_back = 0;  ///< came in turn since the last step and found no room
  };

  /// After a pause, so much is taken to have passed: a clock that is put ahead calls no crowd.
  static constexpr std::chrono::milliseconds step_max{1'000};

  line_pace(std::chrono::milliseconds turn_lasts, instant now);

  /// A room opens: nobody who was called is on his way yet.
  void begin(double rate, double show_up, instant now);

  /// @returns how far is called now: `serving` or beyond, never beyond `next`.
  std::uint64_t step(const facts& known, instant now);

  /// Places a second, when somebody waits.
  double places_per_second() const { return places_per_second_; }
  /// Places below were called longer ago than a turn lasts (and up to a 32nd more).
  std::uint64_t expired_below() const { return expired_below_; }

private:
  struct sample {
    instant at;
    std::uint64_t serving = 0;
  };
  static constexpr std::size_t samples = 64;
  static constexpr int samples_in_turn = 32;

  void remember(std::uint64_t serving, instant now);

  std::chrono::milliseconds turn_lasts_;
  instant stepped_at_;
  double places_per_second_ = 1;
  double others_per_second_ = 0;
  double turned_back_per_second_ = 0;
  double part_of_place_ = 0;
  std::array<sample, samples> samples_{};
  std::size_t sample_ = 0;
  std::uint64_t expired_below_ = 0;
};

}  // namespace gelombang::net
