#include "actors/applicant/profile.hpp"

#include <array>
#include <utility>

#include "actors/registry/lists.hpp"

namespace gelombang::applicant {
namespace {

constexpr std::array<std::pair<education, std::string_view>, 8> educations = {{
    {education::none, "none"},
    {education::sd, "sd"},
    {education::smp, "smp"},
    {education::sma, "sma"},
    {education::smk, "smk"},
    {education::diploma, "diploma"},
    {education::sarjana, "sarjana"},
    {education::pascasarjana, "pascasarjana"},
}};

constexpr std::array<std::pair<employment, std::string_view>, 11> employments = {{
    {employment::job_seeker, "job_seeker"},
    {employment::laid_off, "laid_off"},
    {employment::worker, "worker"},
    {employment::entrepreneur, "entrepreneur"},
    {employment::student, "student"},
    {employment::civil_servant, "civil_servant"},
    {employment::soldier, "soldier"},
    {employment::police, "police"},
    {employment::village_official, "village_official"},
    {employment::state_company_officer, "state_company_officer"},
    {employment::state_official, "state_official"},
}};

/// In the order of the bits.
constexpr std::array<std::string_view, groups_count> groups = {"disability", "returned_migrant",
                                                               "listed_by_ministry"};

template <class Table>
std::string_view name_in(const Table& table, typename Table::value_type::first_type which) {
  for (const auto& [value, name] : table) {
    if (value == which) return name;
  }
  return {};
}

template <class Table>
std::optional<typename Table::value_type::first_type> value_in(const Table& table,
                                                               std::string_view name) {
  for (const auto& [value, known] : table) {
    if (known == name) return value;
  }
  return std::nullopt;
}

template <class Table>
std::vector<std::string_view> names_in(const Table& table) {
  std::vector<std::string_view> names;
  names.reserve(std::size(table));
  for (const auto& [value, name] : table) names.push_back(name);
  return names;
}

}  // namespace

std::vector<std::string_view> education_names() {
  return names_in(educations);
}

std::vector<std::string_view> employment_names() {
  return names_in(employments);
}

std::string_view name_of(education which) {
  return name_in(educations, which);
}

std::string_view name_of(employment which) {
  return name_in(employments, which);
}

std::optional<education> education_named(std::string_view name) {
  return value_in(educations, name);
}

std::optional<employment> employment_named(std::string_view name) {
  return value_in(employments, name);
}

std::optional<std::uint32_t> group_bit_named(std::string_view name) {
  for (std::uint32_t bit = 0; bit < groups_count; ++bit) {
    if (groups[bit] == name) return bit;
  }
  return std::nullopt;
}

std::string_view group_name(std::uint32_t bit) {
  return bit < groups_count ? groups[bit] : std::string_view{};
}

std::uint32_t groups_of(std::uint32_t traits, std::uint32_t lists) {
  auto mask = [](auto flag) { return static_cast<std::uint32_t>(flag); };
  std::uint32_t bits = 0;
  if (traits & mask(trait::disability)) bits |= mask(group::disability);
  if (traits & mask(trait::returned_migrant)) bits |= mask(group::returned_migrant);
  if (lists & registry::mask_of(registry::list::ministry_priority)) {
    bits |= mask(group::listed_by_ministry);
  }
  return bits;
}

}  // namespace gelombang::applicant
