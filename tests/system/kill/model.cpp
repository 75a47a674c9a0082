#include "tests/system/kill/model.hpp"

namespace gelombang::system_testing {

std::optional<receipt> receipt_in(const answer& from, const std::string& at) {
  const auto prefix = at.empty() ? at : at + ".";
  receipt found{from.text(prefix + "entry_id"), from.text(prefix + "joined_at")};
  if (found.entry_id.empty() || found.joined_at.empty()) return std::nullopt;
  return found;
}

int rank_of(const std::string& state) {
  static const std::map<std::string, int> ranks{{"scheduled", 0}, {"open", 1},  {"closed", 2},
                                                {"committed", 3}, {"drawn", 4}, {"announced", 5}};
  const auto found = ranks.find(state);
  return found == ranks.end() ? -1 : found->second;
}

void findings::add(std::string what) {
  std::lock_guard lock{mutex_};
  found_.push_back(std::move(what));
}

bool findings::empty() const {
  std::lock_guard lock{mutex_};
  return found_.empty();
}

std::string findings::all() const {
  std::lock_guard lock{mutex_};
  std::string text;
  for (const auto& one : found_) text += one + "\n";
  return text;
}

}  // namespace gelombang::system_testing
