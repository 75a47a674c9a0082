#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <tl/expected.hpp>

#include "actors/programme/clock.hpp"
#include "actors/programme/result.hpp"
#include "net/command/settings.hpp"

namespace gelombang::command {

/// Time for rehearsals: runs like the system's, and an operator may put it ahead, so that a year of
/// waves takes an hour. Never goes back, not by a restart either: how far it is ahead of the
/// system's stands in the data directory's file CLOCK, and is there before anybody sees the new
/// time. Thread-safe.
class ahead_clock final : public clock {
public:
  /// Nobody puts a clock beyond it: seconds are counted in 32 bits in places.
  static constexpr instant latest{std::chrono::sys_days{std::chrono::year{2100} / 1 / 1}};

  /// @param start  what it shows where CLOCK is not there yet
  /// @returns what is wrong with CLOCK, or why it can't be written.
  static tl::expected<std::unique_ptr<ahead_clock>, std::string> open(
      const std::filesystem::path& data_directory, instant start);

  instant now() const override;

  /// Puts the clock to `when` if that is ahead. @returns what it shows then; `field_invalid` beyond
  /// `latest`, `storage_unavailable` when CLOCK can't be written, and the clock is as it was.
  result<instant> put_ahead_to(instant when);

private:
  explicit ahead_clock(std::filesystem::path file) : file_(std::move(file)) {}
  result<void> keep(std::chrono::milliseconds ahead) const;

  const std::filesystem::path file_;
  std::mutex putting_;
  std::atomic<std::int64_t> ahead_ms_{0};
};

/// Where a data directory keeps that its time is not the system's.
std::filesystem::path clock_file(const std::filesystem::path& data_directory);

/// Makes sure that nobody from outside meets a clock that is not the world's, and that data keeps
/// the kind of clock it was begun with.
/// @param had_data  before this start
/// @returns what forbids it, with the key of the configuration.
tl::expected<void, std::string> may_have_its_clock(const settings& with, bool had_data);

}  // namespace gelombang::command
