#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/programme/hex.hpp"
#include "actors/programme/ids.hpp"
#include "actors/programme/keys.hpp"

/// How ids are written for people, in answers and in logs. Each has one spelling.
namespace gelombang {

/// 16 lower-case hex digits.
inline std::string to_string(applicant_id id) {
  return fmt::format("{:016x}", id.value);
}

inline std::optional<applicant_id> parse_applicant_id(std::string_view text) {
  auto bytes = from_hex<8>(text);
  if (!bytes) return std::nullopt;
  applicant_id id;
  for (auto byte : *bytes) id.value = id.value << 8 | byte;
  return id;
}

/// Four digits.
inline std::string to_string(region_code code) {
  return fmt::format("{:04}", code.value);
}

inline std::string to_string(wave_number wave) {
  return fmt::format("{}", wave.value);
}

inline std::string to_string(provider_id provider) {
  return fmt::format("{}", provider.value);
}

/// 32 lower-case hex digits.
inline std::string to_string(const entry_id& id) {
  return to_hex(id);
}

inline std::optional<entry_id> parse_entry_id(std::string_view text) {
  return from_hex<std::tuple_size_v<entry_id>>(text);
}

}  // namespace gelombang

/// `fmt::format("{}", id)` writes an id as `to_string` does.
template <class Tag, class Number>
struct fmt::formatter<gelombang::strong_id<Tag, Number>> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(gelombang::strong_id<Tag, Number> id, Context& context) const {
    return fmt::formatter<std::string_view>::format(gelombang::to_string(id), context);
  }
};
