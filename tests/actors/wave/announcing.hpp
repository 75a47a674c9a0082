#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "tests/actors/rooms.hpp"

namespace gelombang::rooms_test {

wave::wire::Phase phase_of(const machine& in, wave_number number);

/// A wave that opens by itself in an hour.
wave_number planned_wave(machine& in);

/// The first `count` of the people, ready to join.
std::vector<applicant_id> ready_people(machine& in, std::uint64_t count);

void join_all(machine& in, const std::vector<applicant_id>& people, wave_number number);

/// Takes the wave from wherever it is to its announcement, as an operator would who asks again
/// whatever was not answered.
void announce(machine& in, wave_number number);

/// Whom the files of the draw say to be accepted.
std::set<std::uint64_t> accepted_by_files(machine& in, wave_number number);

}  // namespace gelombang::rooms_test
