#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/programme/ids.hpp"
#include "actors/programme/nik.hpp"
#include "actors/programme/region.hpp"
#include "actors/programme/time.hpp"

namespace gelombang::seed {

/// Somebody who does not exist, with everything that an account in state `ready` needs.
struct person {
  std::string email;  ///< "pemohon17@contoh.id", already normalised
  std::string full_name;
  std::string phone;  ///< E.164
  gelombang::nik nik;
  gelombang::kk kk;
  date birth_date;
  region_code region;           ///< domicile of the family card
  std::string_view education;   ///< sd, smp, sma, smk, diploma or sarjana
  std::string_view employment;  ///< job_seeker, laid_off, worker or entrepreneur
  bool disability = false;
  bool returned_migrant = false;
};

/// The address of person `number`, the same under every seed.
std::string email_of(std::uint64_t number);

/// How many people have numbers of their own: beyond it NIKs would repeat.
inline constexpr std::uint64_t people_max = 409'559'040;

/// All applicants of a seed, each made when asked for, from its number alone: so a million can be
/// made on every core at once, and number 1,234,567 without those before it. The same seed gives
/// the same people for ever, on any machine.
///
/// Regions follow population; families of one to five (neighbouring numbers) share card and region;
/// no two people share NIK, phone or e-mail, no two families a card. Everybody was born between
/// 1964-07-01 and 2006-07-18, so that whoever joins a wave between mid-2024 and mid-2029 is of the
/// programme's age. About 2 % have a disability, 1 % are returned migrant workers, and a tenth have
/// a NIK that was issued in another region than they live in. Const and thread-safe.
class people {
public:
  explicit people(std::uint64_t seed, const region_table& regions = region_table::standard());

  /// @param number  from 1 to `people_max`
  person operator()(std::uint64_t number) const;

private:
  struct family;

  family family_of(std::uint64_t number) const;
  region_code region_for(std::uint64_t random) const;

  std::uint64_t seed_;
  std::vector<std::uint64_t> people_up_to_;  ///< population of a region and all before it
  std::vector<region_code> codes_;
};

}  // namespace gelombang::seed
