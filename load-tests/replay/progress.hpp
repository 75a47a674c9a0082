#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "load-tests/replay/crowd.hpp"
#include "load-tests/replay/findings.hpp"

namespace gelombang::load::replay {

/// What a replay is of: one that has begun goes on only as the same.
struct identity {
  std::uint64_t seed = 0;
  std::string scale;   ///< as it was given
  std::string digest;  ///< of the timetable
  friend bool operator==(const identity&, const identity&) = default;
};

/// Up to where a replay has come. All before it was acknowledged; what is behind may have been
/// asked for, and asking again changes nothing.
struct place {
  std::size_t step = 0;
  std::uint64_t lot = 0;       ///< of `accounts`: the first person of those who register together
  std::size_t part = 0;        ///< of `accounts`: which act
  std::uint64_t position = 0;  ///< the first person who may have to be asked again; 0: nobody yet
  bool is_complete = false;
};

/// What is kept of a replay, in a directory: `progress.json`, written whole or not at all, and who
/// is a member as of a wave, a bit each.
class progress_file {
public:
  explicit progress_file(std::filesystem::path directory) : directory_(std::move(directory)) {}

  struct content {
    identity of;
    place at;
    findings found;
  };

  /// @returns nothing where no replay has begun; why it can't be gone on with.
  tl::expected<std::optional<content>, std::string> read() const;
  tl::expected<void, std::string> write(const content& now) const;

  /// Members as of the announcement of `wave`; those of the wave before it are kept, older ones go.
  tl::expected<void, std::string> write_members(std::uint32_t wave, const bits& members) const;
  tl::expected<void, std::string> read_members(std::uint32_t wave, bits& into) const;

  const std::filesystem::path& directory() const { return directory_; }

private:
  std::filesystem::path members_of(std::uint32_t wave) const;

  std::filesystem::path directory_;
};

/// Tells how it goes on standard error: a bar where somebody looks, otherwise a line now and then.
class progress_line {
public:
  progress_line(const plan& all, std::chrono::steady_clock::time_point start);

  /// @param doing  such as "wave 8: join"; @param rate  requests a second just now
  void tell(const findings& found, std::string_view doing, double rate);
  /// Ends the bar's line.
  void end();

  /// How much of all is done, and for how long it goes on at the rates until now; pure.
  struct estimate {
    double share = 0, seconds_left = 0;
  };
  static estimate estimate_of(const plan& all, const findings& found);

private:
  const plan& all_;
  const bool is_seen_;
  std::chrono::steady_clock::time_point told_;
};

}  // namespace gelombang::load::replay
