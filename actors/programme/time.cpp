#include "actors/programme/time.hpp"

#include <algorithm>
#include <array>

namespace gelombang {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::sys_days;

char* write_digits(char* to, std::uint32_t value, int width) {
  for (int position = width - 1; position >= 0; --position) {
    to[position] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return to + width;
}

char* write_date(char* to, date day) {
  to = write_digits(to, static_cast<std::uint32_t>(static_cast<int>(day.year())), 4);
  *to++ = '-';
  to = write_digits(to, static_cast<unsigned>(day.month()), 2);
  *to++ = '-';
  return write_digits(to, static_cast<unsigned>(day.day()), 2);
}

/// Takes a text apart from the left; after a mismatch everything that follows fails too.
class reader {
public:
  explicit reader(std::string_view text) : rest_(text) {}

  int number(std::size_t width) {
    if (rest_.size() < width) return fail();
    int value = 0;
    for (auto digit : rest_.substr(0, width)) {
      if (digit < '0' || digit > '9') return fail();
      value = value * 10 + (digit - '0');
    }
    rest_.remove_prefix(width);
    return value;
  }

  /// Takes one character if it is one of `any`.
  char take(std::string_view any) {
    if (rest_.empty() || any.find(rest_.front()) == std::string_view::npos) return '\0';
    auto taken = rest_.front();
    rest_.remove_prefix(1);
    return taken;
  }

  void expect(std::string_view any) {
    if (take(any) == '\0') fail();
  }

  /// The digits behind a decimal point, one to nine of them, as milliseconds.
  milliseconds fraction() {
    std::size_t digits = 0;
    int value = 0;
    while (digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9') {
      if (digits < 3) value = value * 10 + (rest_[digits] - '0');
      ++digits;
    }
    if (digits == 0 || digits > 9) return milliseconds{fail()};
    for (auto missing = digits; missing < 3; ++missing) value *= 10;
    rest_.remove_prefix(digits);
    return milliseconds{value};
  }

  bool done() const { return !failed_ && rest_.empty(); }

private:
  int fail() {
    failed_ = true;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool failed_ = false;
};

date read_date(reader& from) {
  auto year = from.number(4);
  from.expect("-");
  auto month = from.number(2);
  from.expect("-");
  auto day = from.number(2);
  return {std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
          std::chrono::day{static_cast<unsigned>(day)}};
}

bool is_plausible(date day) {
  return day.ok() && static_cast<int>(day.year()) >= year_min;
}

/// What must be taken from a local time to come to UTC, or nothing if it is no offset.
std::optional<minutes> read_offset(reader& from) {
  auto sign = from.take("Zz+-");
  if (sign == 'Z' || sign == 'z') return minutes{0};
  auto hour = from.number(2);
  from.expect(":");
  auto minute = from.number(2);
  if (sign == '\0' || hour > 23 || minute > 59) return std::nullopt;
  minutes offset{hour * 60 + minute};
  return sign == '-' ? -offset : offset;
}

}  // namespace

std::string format_time(instant at) {
  auto local = at + wib_offset;
  auto midnight = floor<days>(local);
  auto of_day = static_cast<std::uint32_t>((local - midnight).count());
  std::array<char, 32> text;
  auto* to = write_date(text.data(), date{midnight});
  *to++ = 'T';
  to = write_digits(to, of_day / 3'600'000, 2);
  *to++ = ':';
  to = write_digits(to, of_day / 60'000 % 60, 2);
  *to++ = ':';
  to = write_digits(to, of_day / 1000 % 60, 2);
  if (of_day % 1000 != 0) {
    *to++ = '.';
    to = write_digits(to, of_day % 1000, 3);
  }
  constexpr std::string_view offset = "+07:00";
  to = std::copy(offset.begin(), offset.end(), to);
  return {text.data(), to};
}

std::optional<instant> parse_time(std::string_view text) {
  reader from{text};
  auto day = read_date(from);
  from.expect("Tt ");
  auto hour = from.number(2);
  from.expect(":");
  auto minute = from.number(2);
  from.expect(":");
  auto second = from.number(2);
  milliseconds fraction{0};
  if (from.take(".") != '\0') fraction = from.fraction();
  auto offset = read_offset(from);
  if (!from.done() || !offset || !is_plausible(day)) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return instant{sys_days{day}} + std::chrono::hours{hour} + minutes{minute} +
         std::chrono::seconds{second} + fraction - *offset;
}

std::string format_date(date day) {
  std::array<char, 10> text;
  return {text.data(), write_date(text.data(), day)};
}

std::optional<date> parse_date(std::string_view text) {
  reader from{text};
  auto day = read_date(from);
  if (!from.done() || !is_plausible(day)) return std::nullopt;
  return day;
}

date date_in_wib(instant at) {
  return date{floor<days>(at + wib_offset)};
}

instant wib_time(date day, milliseconds since_midnight) {
  return instant{sys_days{day}} + since_midnight - wib_offset;
}

int age_on(date birth, date on) {
  auto years = static_cast<int>(on.year()) - static_cast<int>(birth.year());
  auto had_birthday =
      birth.month() != on.month() ? birth.month() < on.month() : birth.day() <= on.day();
  return had_birthday ? years : years - 1;
}

wave_window next_regular_window(instant after, const regular_schedule& schedule) {
  auto anchor = wib_time(schedule.anchor, schedule.opens);
  auto period = std::chrono::duration_cast<milliseconds>(schedule.period);
  // Rounded down, also before the anchor, so the next number is always later than `after`.
  auto passed = (after - anchor) / period;
  if (anchor + passed * period > after) --passed;
  auto opens_at = anchor + (passed + 1) * period;
  auto closes_at = opens_at - schedule.opens + schedule.closes_after + schedule.closes;
  return {opens_at, closes_at};
}

}  // namespace gelombang
