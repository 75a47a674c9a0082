#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "load-tests/engine/people.hpp"

namespace gelombang::load {

/// What an audit compares, and with what.
struct audit_settings {
  std::string url = "http://127.0.0.1:8080";
  std::vector<std::filesystem::path> logs;
  unsigned connections = 64;
  bool others_take_part = false;  ///< others than the logs' people have joined the same waves
};

/// What an audit has found. Nothing may be lost, double or invented.
struct audit_report {
  std::uint64_t operations = 0, checked = 0;
  std::uint64_t lost = 0;             ///< acknowledged, and not there
  std::uint64_t twice = 0;            ///< acknowledged, or there, with two different proofs
  std::uint64_t invented = 0;         ///< there, and never asked for, or acknowledged as undone
  std::uint64_t unanswered = 0;       ///< subjects the server gave no usable answer about
  std::vector<std::string> examples;  ///< of what is wrong, the first ones
  std::vector<std::string> notes;

  bool is_clean() const { return lost + twice + invented + unanswered == 0; }
};

inline constexpr std::size_t audit_examples_max = 20;

/// Asks the server about every person and wave, and every account, of the logs, and compares what
/// it says with what was acknowledged; then each wave's own count of joins with what was found.
/// @returns why it could not be done.
tl::expected<audit_report, std::string> audit(const audit_settings& how, const people& who);

}  // namespace gelombang::load
