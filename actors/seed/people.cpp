#include "actors/seed/people.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>

namespace gelombang::seed {
namespace {

// A number of 16 digits is a region, a district, a date and a serial. Whoever has the number `n`
// (of a person, or of a family's first member) gets district and serial from `n % places`; people
// who share those are at most `dates_apart` and get different dates, whatever their regions are.
constexpr std::uint64_t serials = 9999;
constexpr std::uint64_t districts = 40;
constexpr std::uint64_t places = serials * districts;
constexpr std::uint64_t dates_apart = 1024;
static_assert(people_max == places * dates_apart);

/// Days are taken from whole stretches of `dates_apart` days, so that each stretch has one for
/// each.
constexpr std::array<unsigned, 15> stretch_weights = {2, 2, 3,  3,  4,  5,  6, 7,
                                                      8, 9, 10, 11, 12, 10, 8};
constexpr std::chrono::sys_days first_birthday =
    std::chrono::year{1964} / std::chrono::July / std::chrono::day{1};
constexpr std::chrono::sys_days first_card =
    std::chrono::year{2008} / std::chrono::January / std::chrono::day{1};
constexpr std::uint64_t card_stretches = 5;

constexpr std::uint64_t family_block = 20;  ///< no family reaches over the end of a block
constexpr std::array<unsigned, 5> family_size_weights = {40, 28, 16, 10, 6};

/// What randomness is used for; each purpose has its own.
enum class use : std::uint64_t {
  family_sizes,
  region,
  card,
  date,
  name,
  sex,
  profile,
  origin,
  phone
};

/// SplitMix64's finaliser: every bit of the input reaches every bit of the output.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

constexpr std::uint64_t random_for(std::uint64_t seed, use purpose, std::uint64_t number) {
  return mix(mix(mix(seed) + static_cast<std::uint64_t>(purpose)) + number);
}

/// Takes decisions one after the other from 64 random bits.
class dice {
public:
  explicit dice(std::uint64_t random) : random_(random) {}

  std::uint64_t below(std::uint64_t limit) {
    // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): limits are sizes and sums of weights
    auto taken = random_ % limit;
    random_ = mix(random_);
    return taken;
  }

  template <std::size_t Size>
  std::size_t weighted(const std::array<unsigned, Size>& weights) {
    unsigned sum = 0;
    for (auto weight : weights) sum += weight;
    auto left = below(sum);
    std::size_t chosen = 0;
    for (; left >= weights[chosen]; ++chosen) left -= weights[chosen];
    return chosen;
  }

  template <std::size_t Size>
  std::string_view one_of(const std::array<std::string_view, Size>& names) {
    return names[below(Size)];
  }

private:
  std::uint64_t random_;
};

constexpr std::array<std::string_view, 40> men = {
    "Ahmad",    "Budi",   "Agus",  "Andi",  "Bambang", "Dedi",     "Eko",    "Fajar",
    "Hadi",     "Hendra", "Iwan",  "Joko",  "Made",    "Muhammad", "Rizki",  "Slamet",
    "Sutrisno", "Teguh",  "Wahyu", "Yusuf", "Arif",    "Dimas",    "Gilang", "Ilham",
    "Rahmat",   "Ridwan", "Rudi",  "Surya", "Taufik",  "Yohanes",  "Ketut",  "Nyoman",
    "Asep",     "Ujang",  "Cahyo", "Bayu",  "Galih",   "Irfan",    "Markus", "Petrus"};
constexpr std::array<std::string_view, 40> women = {
    "Siti",  "Sri",   "Dewi",    "Nur",     "Ani",   "Ayu",   "Dian",    "Endang",
    "Fitri", "Indah", "Kartika", "Lestari", "Maria", "Mega",  "Ningsih", "Putri",
    "Rina",  "Ratna", "Sari",    "Wati",    "Yanti", "Yuni",  "Aisyah",  "Kadek",
    "Intan", "Rahma", "Rosita",  "Novi",    "Lina",  "Wulan", "Nita",    "Eka",
    "Euis",  "Imas",  "Yulia",   "Tuti",    "Mutia", "Hesti", "Marlina", "Debora"};
constexpr std::array<std::string_view, 56> last_names = {
    "Santoso",   "Wijaya",   "Saputra",  "Hidayat",   "Nugroho",      "Kurniawan", "Setiawan",
    "Pratama",   "Siregar",  "Nasution", "Harahap",   "Simanjuntak",  "Sihombing", "Lubis",
    "Ginting",   "Tarigan",  "Hutapea",  "Panjaitan", "Suryadi",      "Gunawan",   "Firmansyah",
    "Ramadhan",  "Maulana",  "Permana",  "Suharto",   "Wibowo",       "Purnomo",   "Susanto",
    "Handoko",   "Hakim",    "Rahman",   "Syahputra", "Basri",        "Latief",    "Tanjung",
    "Daulay",    "Manurung", "Sitorus",  "Tambunan",  "Lumbantoruan", "Kusuma",    "Utami",
    "Anggraini", "Rahayu",   "Puspita",  "Wulandari", "Safitri",      "Handayani", "Maharani",
    "Pertiwi",   "Wenda",    "Kogoya",   "Tabuni",    "Rumbiak",      "Matulessy", "Pattinasarany"};

constexpr std::array<std::string_view, 6> education = {"sd",  "smp",     "sma",
                                                       "smk", "diploma", "sarjana"};
constexpr std::array<unsigned, 6> education_weights = {8, 14, 34, 24, 8, 12};
constexpr std::array<std::string_view, 4> employment = {"job_seeker", "laid_off", "worker",
                                                        "entrepreneur"};
constexpr std::array<unsigned, 4> employment_weights = {60, 15, 17, 8};

char* write_digits(char* to, std::uint64_t value, std::size_t width) {
  for (auto position = width; position-- > 0; value /= 10) {
    to[position] = static_cast<char>('0' + value % 10);
  }
  return to + width;
}

/// A date that differs from that of every other number with the same place.
std::chrono::sys_days date_for(std::chrono::sys_days first, std::uint64_t stretch,
                               std::uint64_t number, std::uint64_t seed) {
  auto apart = (number / places + random_for(seed, use::date, number % places)) % dates_apart;
  return first + std::chrono::days{stretch * dates_apart + apart};
}

std::array<char, 16> sixteen_digits(region_code region, std::uint64_t number, date day,
                                    unsigned added_to_day) {
  std::array<char, 16> digits;
  auto place = number % places;
  auto* to = write_digits(digits.data(), region.value, 4);
  to = write_digits(to, place / serials + 1, 2);
  to = write_digits(to, static_cast<unsigned>(day.day()) + added_to_day, 2);
  to = write_digits(to, static_cast<unsigned>(day.month()), 2);
  to = write_digits(to, static_cast<unsigned>(static_cast<int>(day.year())) % 100, 2);
  write_digits(to, place % serials + 1, 4);
  return digits;
}

std::string_view view_of(const std::array<char, 16>& digits) {
  return {digits.data(), digits.size()};
}

/// Unique because the number is multiplied by a power of three, which has an inverse modulo 10^9.
std::string phone_of(std::uint64_t number, std::uint64_t seed) {
  constexpr std::uint64_t nine_digits = 1'000'000'000;
  constexpr std::uint64_t power_of_three = 387'420'489;
  auto shift = random_for(seed, use::phone, 0) % nine_digits;
  auto operators_code = 11 + random_for(seed, use::phone, number) % 89;
  return fmt::format("+628{}{:09}", operators_code,
                     (number * power_of_three + shift) % nine_digits);
}

std::string name_of(sex of, dice random) {
  auto first = of == sex::woman ? random.one_of(women) : random.one_of(men);
  auto last = random.one_of(last_names);
  if (random.below(3) != 0) return fmt::format("{} {}", first, last);
  auto middle = of == sex::woman ? random.one_of(women) : random.one_of(men);
  if (middle == first) return fmt::format("{} {}", first, last);
  return fmt::format("{} {} {}", first, middle, last);
}

}  // namespace

struct people::family {
  std::uint64_t first;  ///< number of its first member, from 0; no two families share it
  region_code region;
  date card_issued;
};

std::string email_of(std::uint64_t number) {
  return fmt::format("pemohon{}@contoh.id", number);
}

people::people(std::uint64_t seed, const region_table& regions) : seed_(seed) {
  std::uint64_t sum = 0;
  for (const auto& region : regions.all()) {
    sum += region.population;
    people_up_to_.push_back(sum);
    codes_.push_back(region.code);
  }
}

region_code people::region_for(std::uint64_t random) const {
  auto lot = random % people_up_to_.back();
  auto found = std::upper_bound(people_up_to_.begin(), people_up_to_.end(), lot);
  return codes_[static_cast<std::size_t>(found - people_up_to_.begin())];
}

people::family people::family_of(std::uint64_t number) const {
  auto block = number / family_block;
  dice sizes{random_for(seed_, use::family_sizes, block)};
  auto first = block * family_block;
  while (true) {
    auto next = first + sizes.weighted(family_size_weights) + 1;
    if (number < next) break;
    first = next;
  }
  auto stretch = random_for(seed_, use::card, first) % card_stretches;
  return {first, region_for(random_for(seed_, use::region, first)),
          date{date_for(first_card, stretch, first, seed_)}};
}

person people::operator()(std::uint64_t number) const {
  auto index = number - 1;
  auto home = family_of(index);
  dice random{random_for(seed_, use::profile, index)};
  date birth{date_for(first_birthday, random.weighted(stretch_weights), index, seed_)};
  auto of = random_for(seed_, use::sex, index) % 2 == 0 ? sex::woman : sex::man;
  auto origin = random_for(seed_, use::origin, index);
  auto issued_in = origin % 10 == 0 ? region_for(mix(origin)) : home.region;
  auto nik_digits = sixteen_digits(issued_in, index, birth, of == sex::woman ? 40 : 0);
  auto kk_digits = sixteen_digits(home.region, home.first, home.card_issued, 0);
  auto school = education[random.weighted(education_weights)];
  auto work = employment[random.weighted(employment_weights)];
  auto disability = random.below(1000) < 20;
  auto returned_migrant = random.below(1000) < 10;
  return {email_of(number),
          name_of(of, dice{random_for(seed_, use::name, index)}),
          phone_of(number, seed_),
          nik::parse(view_of(nik_digits)).value(),
          kk::parse(view_of(kk_digits)).value(),
          birth,
          home.region,
          school,
          work,
          disability,
          returned_migrant};
}

}  // namespace gelombang::seed
