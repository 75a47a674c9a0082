#include "load-tests/replay/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <thread>

#include "load-tests/replay/verify.hpp"

namespace gelombang::load::replay {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using told = tl::expected<void, std::string>;

class stopwatch {
public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  }

private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

std::uint64_t number(const json::value& of, std::string_view name) {
  return of.at(name).to_number<std::uint64_t>();
}

/// What the summary says against itself and the plan.
void check_summary(const json::value& summary, const published& draw, const step& wave,
                   findings& found) {
  std::uint64_t accepted = 0, usable = 0;
  for (const auto& one : summary.at("regions").as_array()) {
    accepted += number(one, "accepted");
    usable += number(one, "usable");
  }
  const auto expect = [&](std::string_view what, std::uint64_t is, std::uint64_t wanted) {
    if (is != wanted)
      found.fault(fmt::format("wave {}: {} {}, not {}", wave.wave, what, is, wanted));
  };
  expect("quota", number(summary, "quota"), wave.places);
  expect("entries of the summary", number(summary, "entries"), draw.entries);
  expect("accepted of the summary", accepted, draw.accepted.size());
  expect("accepted", accepted, std::min(wave.places, usable));
}

/// Some of those who have joined: each is told what the draw says.
told ask_joiners(officer& who, const clerk& writes, const step& wave, std::uint64_t joins,
                 const crowd& all, findings& found) {
  const auto stride = std::max<std::uint64_t>(1, joins / samples_of_wave);
  std::uint64_t seen = 0;
  for (std::uint64_t person = 1; person <= wave.accounts_so_far; ++person) {
    if (!all.joined().at(person) || seen++ % stride != 0) continue;
    const auto said =
        who.read_text(fmt::format("/v1/me/waves/{}", wave.wave), writes.token_of(person));
    if (!said) return tl::unexpected(said.error());
    const bool is_accepted = all.members().at(person);
    const std::string_view wanted =
        is_accepted ? R"("outcome":"accepted")" : R"("outcome":"not_selected")";
    if (said->find(wanted) == std::string::npos)
      found.fault(fmt::format("wave {}: person {} is told something else than {}: {}", wave.wave,
                              person, wanted, said->substr(0, 300)));
  }
  return {};
}

std::string_view stage_after(std::size_t acts_done) {
  constexpr std::array<std::string_view, funnel_acts> stages{
      "email_entered", "email_verified", "identity_verified", "profile_complete", "ready"};
  return stages[acts_done - 1];
}

told check_funnel(officer& who, const plan& wanted, findings& found) {
  constexpr int tries_max = 50;
  for (int tries = 1;; ++tries) {
    const auto said = who.read("/v1/operator/funnel", true);
    if (!said) return tl::unexpected(said.error());
    std::vector<std::string> differences;
    std::uint64_t known = 0;
    for (std::size_t done = 1; done <= funnel_acts; ++done) {
      const auto further = done < funnel_acts ? wanted.total(static_cast<act>(done)) : 0;
      const auto expected = wanted.total(static_cast<act>(done - 1)) - further;
      const auto is = number(said->at("stages"), stage_after(done));
      known += is;
      if (is != expected)
        differences.push_back(
            fmt::format("funnel: {} are {}, not {}", is, stage_after(done), expected));
    }
    for (const auto& [name, count] : said->at("stages").as_object())
      known -= count.to_number<std::uint64_t>();
    // What is not among them is in a stage in which nobody should be.
    if (known != 0) differences.emplace_back("funnel: somebody is in another stage");
    if (differences.empty()) return {};
    if (tries == tries_max) {
      for (auto& one : differences) found.fault(std::move(one));
      return {};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
  }
}

}  // namespace

told check_wave(officer& who, const clerk& writes, const step& wave, const fs::path& room,
                const fs::path& verifier, crowd& all, findings& found) {
  auto& figures = found.waves.back();
  const auto summary_file = room / "summary.json", entries_file = room / "entries.csv";
  const auto path = fmt::format("/v1/waves/{}/draw", wave.wave);
  const stopwatch reading;
  const auto summary = who.read_text(path, {});
  if (!summary) return tl::unexpected(summary.error());
  if (auto got = who.download(path, summary_file); !got) return got;
  if (auto got = who.download(path + "/entries.csv", entries_file); !got) return got;
  const auto draw = read_entries(entries_file);
  if (!draw) return tl::unexpected(draw.error());
  figures.entries = draw->entries;
  figures.accepted = draw->accepted.size();
  const auto is_new = make_members(*draw, wave.wave, writes.keys(), wave.accounts_so_far, all);
  if (is_new != draw->accepted.size())
    found.fault(fmt::format("wave {}: of {} accepted {} have joined", wave.wave,
                            draw->accepted.size(), is_new));
  check_summary(json::parse(*summary), *draw, wave, found);
  figures.publish_seconds = reading.seconds();
  if (!verifier.empty()) {
    const stopwatch verifying;
    if (auto sound = verify_draw(verifier, summary_file, entries_file); !sound)
      found.fault(fmt::format("wave {}: {}", wave.wave, sound.error()));
    figures.verify_seconds = verifying.seconds();
  }
  std::error_code ignored;
  fs::remove(summary_file, ignored);
  fs::remove(entries_file, ignored);
  return ask_joiners(who, writes, wave, figures.joins, all, found);
}

told check_all(officer& who, const clerk& writes, const plan& wanted, const crowd& all,
               findings& found) {
  if (auto funnel = check_funnel(who, wanted, found); !funnel) return funnel;
  std::uint64_t accepted = 0;
  for (const auto& one : found.waves) {
    accepted += one.accepted;
    const auto said = who.read(fmt::format("/v1/waves/{}", one.number));
    if (!said) return tl::unexpected(said.error());
    if (number(*said, "joined") != one.joins)
      found.fault(fmt::format("wave {}: the node counts {} joins, {} were acknowledged", one.number,
                              number(*said, "joined"), one.joins));
    if (said->at("state").as_string() != "announced")
      found.fault(fmt::format("wave {}: is not announced", one.number));
  }
  if (all.members().count() != accepted)
    found.fault(fmt::format("{} are members, {} were accepted", all.members().count(), accepted));
  const auto stride = std::max<std::uint64_t>(1, wanted.people() / samples_of_all);
  for (std::uint64_t person = 1; person <= wanted.people(); person += stride) {
    const auto said = who.read_text("/v1/me", writes.token_of(person));
    if (!said) return tl::unexpected(said.error());
    const auto state = fmt::format(R"("state":"{}")", stage_after(all.acts_of(person)));
    if (said->find(state) == std::string::npos)
      found.fault(fmt::format("person {} is not {}: {}", person, state, said->substr(0, 300)));
  }
  return {};
}

}  // namespace gelombang::load::replay
