#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "actors/programme/keys.hpp"
#include "actors/seed/people.hpp"
#include "load-tests/replay/plan.hpp"
#include "net/tokens.hpp"

namespace gelombang::load::replay {

/// What somebody is about to ask for. Small: thousands are under way.
struct errand {
  std::uint64_t number = 0;  ///< of the person
  act what = act::sign_up;
  /// Of `verify`, after an interruption: what has become of the letters has to be found out.
  enum class way : std::uint8_t { straight, look, sign_up_again } how = way::straight;
  std::uint8_t letter = 1;  ///< of `verify`: whose code is tried
  std::uint8_t tries = 0;
};

/// What an answer means for an errand.
enum class verdict : std::uint8_t {
  done,
  next,   ///< the errand has changed: what it says now is to be asked at once
  later,  ///< the node has no room just now
  wrong,  ///< an answer that should not be
};

/// Writes people's requests and reads what they were answered. People, codes and tokens follow from
/// the seed and the node's key; nothing is kept of anybody. Const and thread-safe.
class clerk {
public:
  struct settings {
    std::string host = {};        ///< for the Host header
    std::string password = {};    ///< of everybody
    std::string assessment = {};  ///< body that answers every question
    std::uint64_t seed = 0;
    instant issued{}, expires{};  ///< of all tokens
  };
  clerk(const keyring& keys, settings with);

  /// Adds the request to `out`. @param wave  that is joined
  void write(std::string& out, const errand& what, std::uint32_t wave) const;

  /// What became of it; on `next` the errand says what comes then.
  verdict judge(errand& what, int status, std::string_view body) const;

  std::string token_of(std::uint64_t number) const;
  std::string operator_token() const;

  const seed::people& people() const { return people_; }
  const keyring& keys() const { return keys_; }

  static constexpr std::uint8_t letters_max = 5;  ///< an account gets no more in an hour

private:
  std::string mint(applicant_id who, net::role as) const;
  void write_account(std::string& out, const errand& what) const;
  void write_own(std::string& out, const errand& what) const;
  verdict judge_verify(errand& what, int status, std::string_view body) const;

  const keyring& keys_;
  settings with_;
  seed::people people_;
  net::access_tokens tokens_;
};

}  // namespace gelombang::load::replay
