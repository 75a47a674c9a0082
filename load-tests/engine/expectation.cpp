#include "load-tests/engine/expectation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>

namespace gelombang::load {
namespace {

using kind = logged_operation::kind;

std::optional<kind> kind_named(std::string_view name) {
  if (name == "join") return kind::join;
  if (name == "withdraw") return kind::withdraw;
  if (name == "sign_up") return kind::sign_up;
  if (name == "verify") return kind::verify;
  return std::nullopt;
}

}  // namespace

std::string_view logged_operation::proof_text() const {
  const std::string_view all{proof.data(), proof.size()};
  return all.substr(0, all.find('\0'));
}

tl::expected<void, std::string> logged_operations::add(std::string_view text) {
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = text.find('\n');
    // A generator that was killed leaves its last line unfinished: that answer was told to nobody.
    if (end == std::string_view::npos) return {};
    const auto entry = read_line(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (!entry) return tl::unexpected(fmt::format("line {}: {}", line, entry.error()));
    const auto what = kind_named(entry->kind);
    if (!what) continue;
    auto wave = std::find(waves.begin(), waves.end(), entry->wave);
    if (wave == waves.end()) wave = waves.insert(waves.end(), std::string{entry->wave});
    logged_operation one{.person = entry->person,
                         .at_ms = entry->at_ms,
                         .wave = static_cast<std::uint16_t>(wave - waves.begin()),
                         .what = *what,
                         .became = entry->became,
                         .proof = {}};
    if (entry->proof.size() > one.proof.size())
      return tl::unexpected(fmt::format("line {}: the proof is too long", line));
    std::copy(entry->proof.begin(), entry->proof.end(), one.proof.begin());
    all.push_back(one);
  }
  return {};
}

void logged_operations::sort() {
  // Whoever does two things in one millisecond has done them in the order of the log.
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::tie(a.wave, a.person, a.at_ms) < std::tie(b.wave, b.person, b.at_ms);
  });
}

expectation expected_after(std::span<const logged_operation> operations) {
  expectation found;
  // Answers that never came: what they were for may have been done at any time since.
  bool done_perhaps = false, undone_perhaps = false;
  for (const auto& one : operations) {
    const bool undoes = one.what == kind::withdraw;
    if (one.became == fate::unknown) (undoes ? undone_perhaps : done_perhaps) = true;
    if (one.became != fate::acknowledged) continue;
    found.must_be_there = found.may_be_there = !undoes;
    const auto proof = one.proof_text();
    if (undoes || proof.empty()) continue;
    if (!found.proof.empty() && found.proof != proof) found.proofs_differ = true;
    found.proof = proof;
  }
  if (undone_perhaps) found.must_be_there = false;
  if (done_perhaps) found.may_be_there = true;
  return found;
}

}  // namespace gelombang::load
