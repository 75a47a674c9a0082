#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gelombang::applicant {

// Everything that one account may have or do, in one place.

/// How long a mailed code is good for, and how often it may be guessed: five tries at each of five
/// codes an hour find one code of a million once in 4.5 years of trying without a pause.
inline constexpr std::chrono::minutes code_lifetime{15};
inline constexpr std::uint32_t code_tries_max = 5;
inline constexpr std::chrono::minutes code_resend_interval{1};
inline constexpr int codes_an_hour_max = 5;

/// A sixth session ends the one that has been refreshed longest ago.
inline constexpr int sessions_max = 5;
/// A session ends when it has not been refreshed for so long …
inline constexpr std::chrono::hours session_idle{30 * 24};
/// … and after this in any case.
inline constexpr std::chrono::hours session_lifetime{90 * 24};
/// An answer can get lost on a bad network: for so long the previous refresh token gets it again.
inline constexpr std::chrono::seconds refresh_grace{60};

/// Answers kept for repeats of a request with an Idempotency-Key.
inline constexpr int requests_max = 8;
inline constexpr std::chrono::hours request_lifetime{24};

inline constexpr std::size_t password_verifier_bytes_max = 128;
inline constexpr std::size_t full_name_characters_min = 2;
inline constexpr std::size_t full_name_characters_max = 100;
inline constexpr std::size_t block_reason_bytes_max = 200;

}  // namespace gelombang::applicant
