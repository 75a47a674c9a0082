#include "net/command/draws.hpp"
#include "net/command/cpus.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>
#include <tl/expected.hpp>

#include "actors/programme/format.hpp"
#include "actors/programme/hex.hpp"
#include "actors/programme/line.hpp"
#include "actors/wave/draw/verify.hpp"
#include "net/command/published_file.hpp"

namespace gelombang::command {
namespace {

enum exit_code : int { agrees = 0, disagrees = 1, wrong_usage = 2, unreadable = 3 };

struct failure {
  exit_code code;
  std::string why;
};

tl::expected<std::string, failure> read_file(const published_file& file) {
  std::ifstream in{file.path, std::ios::binary};
  std::stringstream text;
  if (in) text << in.rdbuf();
  if (in.good() || in.eof()) return text.str();
  return tl::unexpected(
      failure{unreadable, fmt::format("{} {}: {}", file.option, file.path, std::strerror(errno))});
}

std::string text_of(const std::vector<draw::group>& groups) {
  std::string text;
  for (const auto& one : groups)
    text += fmt::format("{}{}:{}:{}", text.empty() ? "" : ",", printable(one.name), one.bit,
                        one.share_permille);
  return text.empty() ? "none" : text;
}

/// The first thing in `published` that is not as it was committed to; empty when all is.
std::string broken_promise(const draw::summary& published, const draw::summary& committed) {
  const auto differs = [](std::string_view what, const auto& now, const auto& then) {
    return fmt::format("{} is {}, committed {}", what, now, then);
  };
  const auto &now = published, &then = committed;
  if (now.wave != then.wave) return differs("wave", now.wave, then.wave);
  if (now.beacon_source != then.beacon_source)
    return differs("beacon_source", printable(now.beacon_source), printable(then.beacon_source));
  if (now.beacon_round != then.beacon_round)
    return differs("beacon_round", now.beacon_round, then.beacon_round);
  if (now.operator_secret_hash != then.operator_secret_hash)
    return differs("operator_secret_hash", to_hex(now.operator_secret_hash),
                   to_hex(then.operator_secret_hash));
  if (now.roster_root != then.roster_root)
    return differs("roster_root", to_hex(now.roster_root), to_hex(then.roster_root));
  if (now.quota != then.quota) return differs("quota", now.quota, then.quota);
  if (now.minimum_per_region != then.minimum_per_region)
    return differs("minimum_per_region", now.minimum_per_region, then.minimum_per_region);
  if (now.groups != then.groups)
    return differs("groups", text_of(now.groups), text_of(then.groups));
  if (now.regions.size() != then.regions.size())
    return differs("the number of regions", now.regions.size(), then.regions.size());
  for (std::size_t i = 0; i < now.regions.size(); ++i) {
    const auto &one = now.regions[i], &other = then.regions[i];
    if (one.region != other.region) return differs("a region", one.region, other.region);
    if (one.weight != other.weight)
      return differs(fmt::format("region {}: weight", one.region), one.weight, other.weight);
  }
  return {};
}

/// @returns what can be said of the commitment, a line or nothing.
tl::expected<std::string, failure> check_commitment(const draw::summary& published,
                                                    const published_file& file) {
  if (file.path.empty()) return std::string{};
  const auto json = read_file(file);
  if (!json) return tl::unexpected(json.error());
  const auto committed = draw::read_summary(*json);
  if (!committed)
    return tl::unexpected(
        failure{disagrees, fmt::format("{} {}: {}", file.option, file.path, committed.error())});
  if (committed->drawn)
    return tl::unexpected(
        failure{wrong_usage, fmt::format("{} {}: is drawn; what is wanted is the summary as it was "
                                         "published before the draw",
                                         file.option, file.path)});
  if (auto broken = broken_promise(published, *committed); !broken.empty())
    return tl::unexpected(failure{disagrees, std::move(broken)});
  return fmt::format("as committed in {}: wave, beacon, roster, places and weights\n", file.path);
}

/// What two files, or three, can't tell: whoever reads "agrees" must not take it for more.
std::string not_checked(const draw::summary& published, const std::string& committed) {
  std::string text = "not checked, for the files can't tell:\n";
  if (committed.empty())
    text +=
        "  that this was promised before the draw: wave, roster root, quota, minimum per region,\n"
        "    groups and their shares, regions and their weights, beacon source and round, hash of\n"
        "    the secret are the summary's word (--committed compares them with a copy of then)\n";
  if (published.drawn)
    text += "  that the beacon value is what its source gave in that round: ask the source\n";
  if (published.cancelled)
    text +=
        "  that it was cancelled, when and why: the summary's word, which was added to what was\n"
        "    committed to; a drawn summary of this wave would prove it wrong\n";
  return text +
         "  who joined, and each entry's region, groups, family and family room: the entries' "
         "word;\n"
         "    whoever has a receipt can look at his own line (--entry)\n";
}

std::string beacon_of(const draw::summary& published) {
  auto text = fmt::format("beacon {}, round {}", printable(published.beacon_source),
                          published.beacon_round);
  if (published.drawn) text += ", value " + to_hex(bytes_of(published.drawn->beacon_value));
  return text + "\n";
}

std::vector<published_file> files_of(const draw_order& order) {
  using form = published_file::form;
  std::vector<published_file> files{{"--summary", order.summary, form::json},
                                    {"--entries", order.entries, form::csv}};
  if (!order.committed.empty()) files.push_back({"--committed", order.committed, form::json});
  return files;
}

tl::expected<std::string, failure> recompute(const draw_order& order,
                                             const std::optional<entry_id>& entry) {
  const auto threads = usable_cpus();
  const auto checked = draw::verify(order.summary, order.entries, entry, threads);
  if (!checked) {
    const bool is_disagreement = checked.error().what == draw::verify_failure::kind::disagrees;
    return tl::unexpected(
        failure{is_disagreement ? disagrees : unreadable, checked.error().detail});
  }
  const auto commitment =
      check_commitment(checked->published, {"--committed", order.committed, {}});
  if (!commitment) return tl::unexpected(commitment.error());
  return beacon_of(checked->published) + *commitment + draw::describe(*checked) +
         not_checked(checked->published, order.committed);
}

tl::expected<std::string, failure> verify(const draw_order& order) {
  std::optional<entry_id> entry;
  if (!order.entry.empty()) {
    entry.emplace();
    if (!read_hex(order.entry, *entry))
      return tl::unexpected(failure{wrong_usage, "--entry must be 32 hexadecimal digits"});
  }
  const auto files = files_of(order);
  for (const auto& one : files)
    if (const auto fit = look_at(one); !fit)
      return tl::unexpected(
          failure{fit.error().is_content ? disagrees : unreadable, fit.error().why});
  auto told = recompute(order, entry);
  if (told || told.error().code != disagrees) return told;
  told.error().why +=
      fmt::format("\n  in --summary {}, --entries {}{}", order.summary, order.entries,
                  order.committed.empty() ? "" : ", --committed " + order.committed);
  for (const auto& one : files)
    if (const auto advice = advice_if_cut(one); !advice.empty())
      told.error().why += "\n  " + advice;
  return told;
}

}  // namespace

int verify_draw(const draw_order& order, std::FILE* out, std::FILE* complaints) {
  const auto told = verify(order);
  if (told) {
    fmt::print(out, "{}", *told);
    return agrees;
  }
  fmt::print(complaints, "gelombang: {}\n", told.error().why);
  return told.error().code;
}

}  // namespace gelombang::command
