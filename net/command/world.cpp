#include "net/command/world.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "net/command/key_check.hpp"
#include "net/command/start_failure.hpp"

namespace gelombang::command {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  // A directory opens like a file, and then has nothing to be read.
  if (!in || std::filesystem::is_directory(path))
    throw start_failure{wrong_configuration, path + " can't be read"};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

roster::eligibility_catalogue read_eligibility(const settings& with) {
  roster::eligibility_catalogue all;
  std::error_code missing;
  for (const auto& file :
       std::filesystem::directory_iterator{with.programme.eligibility, missing}) {
    if (file.path().extension() != ".toml") continue;
    auto rules = or_stop(
        applicant::parse_eligibility(read_text(file.path().string()), file.path().string()));
    const auto name = rules.name;
    all.emplace(name, std::move(rules));
  }
  if (missing)
    throw start_failure{wrong_configuration, "programme.eligibility: " + missing.message()};
  if (!all.contains(with.waves.scheme))
    throw start_failure{wrong_configuration, "waves.scheme: there is no rule set \"" +
                                                 with.waves.scheme + "\" in " +
                                                 with.programme.eligibility};
  return all;
}

/// A file that was cut, or a figure that was altered, would go into a draw of the whole country.
region_table read_regions(const settings& with) {
  auto read = or_stop(region_table::load(with.programme.regions));
  const auto same = [](const region& one, const region& other) {
    return one.code == other.code && one.population == other.population;
  };
  const auto& official = region_table::standard();
  if (!std::ranges::equal(read.all(), official.all(), same))
    spdlog::warn(
        "programme.regions = {}: its {} regions, or their populations, are not the {} official "
        "ones that this program "
        "was built with; draws go by what the file says",
        with.programme.regions, read.all().size(), official.all().size());
  return read;
}

}  // namespace

world::world(const settings& with)
    : regions(read_regions(with)),
      questions(or_stop(applicant::parse_assessment(read_text(with.programme.assessment),
                                                    with.programme.assessment))),
      eligibility(read_eligibility(with)),
      keys(or_stop(key_of(with, key_use::to_begin_or_go_on))) {}

world world::blank() {
  return {region_table::standard(), keyring::from_bytes({})};
}

rooms::rooms(const world& around, const clock& time, std::uint32_t shards)
    : views(shards),
      applicants({around.keys, around.regions, around.questions, views}),
      rosters(views, around.eligibility, time),
      waves(board, time),
      calendar(around.regions) {}

std::vector<const runtime::entity_kind*> rooms::kinds() const {
  return {&applicants, &persons, &families, &phones,   &rosters,
          &places,     &waves,   &calendar, &providers};
}

void rooms::connect(runtime::node& node, wave::draw_desk& desk) {
  applicants.reads_with(node);
  places.reads_with(node);
  rosters.settles_with(desk);
  waves.draws_with(desk);
}

}  // namespace gelombang::command
