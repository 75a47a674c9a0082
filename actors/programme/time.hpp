#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/programme/clock.hpp"

namespace gelombang {

/// A day of the calendar, as people mean it: birth dates, the days of a schedule.
using date = std::chrono::year_month_day;

/// Jakarta's time, UTC+7 without summer time: in it waves are announced, and days begin and end.
inline constexpr std::chrono::hours wib_offset{7};

/// Years that are read or written: what lies outside is a mistake, not a date.
inline constexpr int year_min = 1900;
inline constexpr int year_max = 9999;

/// "2026-11-21T12:00:00+07:00", in WIB; with ".123" behind the seconds unless it would be ".000".
std::string format_time(instant at);

/// Reads RFC 3339 with any offset or `Z`. Fractions of up to nine digits are cut to milliseconds.
/// A leap second is refused: there is no such instant here.
std::optional<instant> parse_time(std::string_view text);

/// "2026-11-21".
std::string format_date(date day);
std::optional<date> parse_date(std::string_view text);

/// The day that `at` falls on in WIB.
date date_in_wib(instant at);

/// The moment at which a WIB clock shows `since_midnight` on `day`, which must be valid.
instant wib_time(date day, std::chrono::milliseconds since_midnight);

/// Whole years lived on `on`; who is born on 29 February becomes older on 1 March in other years.
/// Negative before the birth.
int age_on(date birth, date on);

/// When regular waves open and close. The defaults are the programme's: every second Friday 12:00
/// until the Monday after it, 23:59, WIB.
struct regular_schedule {
  date anchor;  ///< the day on which any one of the waves opens
  std::chrono::days period{14};
  std::chrono::minutes opens{12 * 60};        ///< since midnight of the opening day
  std::chrono::days closes_after{3};          ///< closing day, counted from the opening day
  std::chrono::minutes closes{23 * 60 + 59};  ///< since midnight of the closing day

  friend bool operator==(const regular_schedule&, const regular_schedule&) = default;
};

/// A wave takes joins while `opens_at <= now < closes_at`: "closes 23:59" means that the click at
/// 23:59:00.000 is already too late, so that the hour that was announced is the hour that holds.
struct wave_window {
  instant opens_at;
  instant closes_at;

  friend bool operator==(const wave_window&, const wave_window&) = default;
};

/// The first window of `schedule` that opens later than `after`; the anchor is one of an endless
/// row in both directions. The schedule's anchor must be valid and its period positive.
wave_window next_regular_window(instant after, const regular_schedule& schedule);

}  // namespace gelombang
