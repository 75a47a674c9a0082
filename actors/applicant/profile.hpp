#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace gelombang::applicant {

/// In which language letters to the person are written. Stored.
enum class language : std::uint8_t { indonesian = 0, english = 1 };

/// Highest completed education. Stored; names are the API's.
enum class education : std::uint8_t {
  none = 1,
  sd = 2,
  smp = 3,
  sma = 4,
  smk = 5,
  diploma = 6,
  sarjana = 7,
  pascasarjana = 8,
};

/// What a person does. Stored; names are the API's. `student` is whoever is in formal education
/// now, whatever was completed before.
enum class employment : std::uint8_t {
  job_seeker = 1,
  laid_off = 2,
  worker = 3,
  entrepreneur = 4,
  student = 5,
  civil_servant = 6,
  soldier = 7,
  police = 8,
  village_official = 9,
  state_company_officer = 10,  ///< director or commissioner of a state company
  state_official = 11,
};

std::string_view name_of(education which);
std::string_view name_of(employment which);
/// @returns nothing for a name that is not one of the above, in exactly this spelling.
std::optional<education> education_named(std::string_view name);
std::optional<employment> employment_named(std::string_view name);

/// All names, in the order of their numbers.
std::vector<std::string_view> education_names();
std::vector<std::string_view> employment_names();

/// What a person says about himself that quotas can favour. Bits, stored.
enum class trait : std::uint32_t {
  disability = 1u << 0,
  returned_migrant = 1u << 1,
};

/// Groups that a wave can reserve places for. Bits of the published draw, stored in participations;
/// the names are what operators write in `groups: [{name, share_permille}]`.
enum class group : std::uint32_t {
  disability = 1u << 0,
  returned_migrant = 1u << 1,
  listed_by_ministry = 1u << 2,
};

/// @returns the number of the group's bit (not its mask), or nothing for an unknown name.
std::optional<std::uint32_t> group_bit_named(std::string_view name);
/// @returns an empty text for a bit that no group has.
std::string_view group_name(std::uint32_t bit);
inline constexpr std::uint32_t groups_count = 3;

/// The groups of a person with these traits whose NIK stands on these lists.
std::uint32_t groups_of(std::uint32_t traits, std::uint32_t lists);

}  // namespace gelombang::applicant
