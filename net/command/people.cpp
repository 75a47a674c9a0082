#include "net/command/people.hpp"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "actors/applicant/assessment.hpp"
#include "actors/programme/keys.hpp"
#include "actors/seed/seeding.hpp"
#include "net/command/key_check.hpp"
#include "net/command/places.hpp"
#include "net/command/tokens.hpp"
#include "storage/backup.hpp"

namespace gelombang::command {
namespace {

constexpr int check_failed = 1;
constexpr int wrong_configuration = 2;
constexpr int environment_failed = 3;

/// The version of the questions that the seeded people have answered.
tl::expected<std::uint32_t, std::string> assessment_version(const settings& with) {
  std::ifstream in{with.programme.assessment, std::ios::binary};
  if (!in) return tl::unexpected(with.programme.assessment + " can't be read");
  std::stringstream text;
  text << in.rdbuf();
  auto questions = applicant::parse_assessment(text.str(), with.programme.assessment);
  if (!questions) return tl::unexpected(questions.error());
  return questions->version;
}

int complain(int code, const std::string& why) {
  fmt::print(stderr, "gelombang: {}\n", why);
  return code;
}

/// Says what is wrong when the data has fewer seeded applicants. @returns an exit code.
int check_count(const settings& with, const keyring& keys, std::uint64_t wanted) {
  const storage::layout where{with.storage.data_dir};
  std::uint64_t there = 0;
  if (std::filesystem::exists(where.state() / "CURRENT")) {
    auto store =
        storage::state_store::open_to_read({.directory = where.state(), .prewarm_bytes = 0});
    if (!store) return complain(environment_failed, store.error().detail);
    auto counted = gelombang::seed::seeded_up_to(**store, keys, wanted);
    if (!counted) return complain(environment_failed, counted.error().detail);
    there = *counted;
  }
  if (there >= wanted) return 0;
  return complain(wrong_configuration, fmt::format("--applicants {}: {} holds {} seeded applicants",
                                                   wanted, with.storage.data_dir, there));
}

}  // namespace

int seed(const settings& with, const people_order& order) {
  auto version = assessment_version(with);
  if (!version) return complain(wrong_configuration, version.error());
  if (auto alone = check_surroundings(with.storage.data_dir); !alone)
    return complain(wrong_configuration, "storage.data_dir: " + alone.error());
  auto keys = key_of(with, key_use::to_begin_or_go_on);
  if (!keys) return complain(wrong_configuration, keys.error());
  // From here on nobody else begins there with another key.
  auto lock = storage::directory_lock::take({with.storage.data_dir});
  if (!lock) return complain(environment_failed, lock.error().detail);
  if (auto fits = compare_key(with.storage.data_dir, *keys); !fits)
    return complain(wrong_configuration, fits.error());
  gelombang::seed::seed_options options;
  options.data_directory = with.storage.data_dir;
  options.applicants = order.applicants;
  options.seed = order.seed;
  options.shards = with.runtime.shards;
  options.assessment_version = *version;
  options.now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto started = std::chrono::steady_clock::now();
  auto rate = [&](std::uint64_t done) {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started;
    return static_cast<double>(done) / std::max(spent.count(), 1e-3);
  };
  const auto tell = [&](std::uint64_t done, std::uint64_t all) {
    fmt::print(stderr, "\r{} of {} applicants, {:.0f} a second ", done, all, rate(done));
  };
  auto made = gelombang::seed::seed_data(options, *keys, tell, std::move(*lock));
  fmt::print(stderr, "\n");
  if (!made)
    return complain(
        made.error().kind == storage::fault::corrupt ? check_failed : environment_failed,
        made.error().detail);
  if (auto marked = write_key_mark(with.storage.data_dir, *keys); !marked)
    return complain(environment_failed, marked.error());
  fmt::print(
      "{} applicants, {} rows, {} bytes on disk ({:.0f} an applicant), {:.0f} applicants a "
      "second\n",
      made->applicants, made->rows, made->disk_bytes, made->bytes_per_applicant(),
      rate(made->applicants));
  return 0;
}

int tokens(const settings& with, const people_order& order) {
  auto keys = key_of(with, key_use::to_go_on);
  if (!keys) return complain(wrong_configuration, keys.error());
  if (auto fits = compare_key(with.storage.data_dir, *keys); !fits)
    return complain(wrong_configuration, fits.error());
  if (order.role != "operator")
    if (const auto code = check_count(with, *keys, order.applicants); code != 0) return code;
  const net::token_key key{"1", keys->access_token_key()};
  token_order asked;
  asked.role = order.role == "operator" ? net::role::operator_ : net::role::applicant;
  asked.count = order.applicants;
  asked.now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  return print_tokens(*keys, key, asked, stdout);
}

}  // namespace gelombang::command
