#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "load-tests/engine/operations_log.hpp"

namespace gelombang::load {

/// One operation of a log, as it is kept for an audit: small, since there may be a hundred million.
struct logged_operation {
  enum class kind : std::uint8_t { join, withdraw, sign_up, verify };

  std::uint64_t person = 0;
  std::int64_t at_ms = 0;
  std::uint16_t wave = 0;  ///< index into the log's waves; 0 for accounts
  kind what = kind::join;
  fate became = fate::unknown;
  std::array<char, 32> proof{};  ///< hex; of a join the entry, of an account its id and zeros

  std::string_view proof_text() const;
};

/// All operations of some logs.
struct logged_operations {
  std::vector<std::string> waves{""};  ///< [0]: none
  std::vector<logged_operation> all;

  /// Adds the operations of a log's text. Kinds that change nothing that can be looked at later
  /// are left out. @returns the line and the reason when one is none.
  tl::expected<void, std::string> add(std::string_view text);

  /// By wave, then person, then time.
  void sort();
};

/// What the server must say about a person and a wave, or about an account.
struct expectation {
  bool must_be_there = false;  ///< acknowledged, and nothing later can have undone it
  bool may_be_there = false;   ///< asked for, and not known to be undone
  bool proofs_differ = false;  ///< acknowledged twice, with different proofs
  std::string_view proof;      ///< of an acknowledgement; empty where there is none
};

/// What follows from the operations of one person in one wave, in the order of time. An answer
/// that never came may have been carried out at any time up to now.
expectation expected_after(std::span<const logged_operation> operations);

}  // namespace gelombang::load
