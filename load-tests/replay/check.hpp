#pragma once

#include <cstdint>
#include <tl/expected.hpp>

#include "load-tests/replay/clerk.hpp"
#include "load-tests/replay/crowd.hpp"
#include "load-tests/replay/findings.hpp"
#include "load-tests/replay/officer.hpp"

namespace gelombang::load::replay {

/// People who are asked about one by one, evenly spread over all who could be.
inline constexpr std::uint64_t samples_of_wave = 64, samples_of_all = 1000;

/// Reads a wave's publication, has it verified, finds its accepted among people and makes them
/// members, and asks some of those who have joined what they are told. What is not as it should be
/// is a fault of `found`. @returns why it could not be looked at.
tl::expected<void, std::string> check_wave(officer& who, const clerk& writes, const step& wave,
                                           const std::filesystem::path& room,
                                           const std::filesystem::path& verifier, crowd& all,
                                           findings& found);

/// When everything has been replayed: compares the funnel's counts, each wave's, and people's own
/// accounts with the plan.
tl::expected<void, std::string> check_all(officer& who, const clerk& writes, const plan& wanted,
                                          const crowd& all, findings& found);

}  // namespace gelombang::load::replay
