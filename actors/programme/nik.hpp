#pragma once

#include <fmt/format.h>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "actors/programme/ids.hpp"
#include "actors/programme/result.hpp"
#include "actors/programme/time.hpp"

namespace gelombang {

enum class sex : std::uint8_t { man = 0, woman = 1 };

/// The number of an identity card: 16 digits, `PPRRDD DDMMYY SSSS`. PPRRDD is where it was first
/// issued (a province, a regency 01-69 or city 71-99, a district), which need be neither where the
/// person lives nor a code that still exists; DDMMYY the birth date, the day 40 higher for women;
/// SSSS a serial from 0001.
///
/// Whatever prints it prints it masked. Only `digits()` gives the whole number away.
class nik {
public:
  /// @returns `nik_invalid` with the reason unless `text` has that structure.
  static result<nik> parse(std::string_view text);

  std::string_view digits() const { return {digits_.data(), digits_.size()}; }

  /// Whether the number's birth date is `birth`. Its year has two digits only, so it fits one date
  /// in each century.
  bool matches(date birth) const;

  gelombang::sex sex() const;

  /// "3201••••••••0001": the region of first issue and the serial.
  std::string masked() const;

  friend bool operator==(const nik&, const nik&) = default;

  /// What a message holds before it is filled in; no person's.
  nik() = default;

private:
  std::array<char, 16> digits_{};
};

/// The number of a family card (Kartu Keluarga): 16 digits, of which the first four are a region,
/// as in a NIK. The rest is not judged: cards were numbered under different rules over the years,
/// and a family must not be refused for how its office counted.
class kk {
public:
  /// @returns `kk_invalid` with the reason.
  static result<kk> parse(std::string_view text);

  std::string_view digits() const { return {digits_.data(), digits_.size()}; }

  std::string masked() const;

  friend bool operator==(const kk&, const kk&) = default;

  /// What a message holds before it is filled in; no family's.
  kk() = default;

private:
  std::array<char, 16> digits_{};
};

}  // namespace gelombang

template <>
struct fmt::formatter<gelombang::nik> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const gelombang::nik& number, Context& context) const {
    return fmt::formatter<std::string_view>::format(number.masked(), context);
  }
};

template <>
struct fmt::formatter<gelombang::kk> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const gelombang::kk& number, Context& context) const {
    return fmt::formatter<std::string_view>::format(number.masked(), context);
  }
};
