#include "storage/read_through.hpp"

#include <optional>

#include "storage/interruption.hpp"

namespace gelombang::storage {
namespace {

std::optional<error> flaw_of_journal(file_system& files, const layout& backup,
                                     const std::stop_token& until) {
  const auto read = verify_journal(files, backup.journal(),
                                   [&](const stored_frame&) { return unless_told_to_stop(until); });
  return read ? std::nullopt : std::optional{read.error()};
}

std::optional<error> flaw_of_state(const layout& backup, const std::stop_token& until) {
  if (auto going = unless_told_to_stop(until); !going) return going.error();
  const auto state =
      state_store::open_to_read({.directory = backup.state(), .prewarm_bytes = 0, .until = until});
  if (!state) return state.error();
  const auto read = (*state)->verify();
  return read ? std::nullopt : std::optional{read.error()};
}

}  // namespace

std::vector<std::string> read_through(file_system& files, const layout& backup,
                                      const std::stop_token& until) {
  std::vector<std::string> found;
  bool is_cut_short = false;
  for (const auto& flaw : {flaw_of_journal(files, backup, until), flaw_of_state(backup, until)}) {
    if (!flaw) continue;
    // The machine's fault, be it short of descriptors, and not the copy's.
    const bool is_the_readings = flaw->kind == fault::io || flaw->kind == fault::no_space;
    if (!is_the_readings)
      found.push_back(flaw->detail);
    else if (until.stop_requested())
      is_cut_short = true;
    else
      found.push_back("could not be read through: " + flaw->detail);
  }
  if (is_cut_short) found.push_back("was not read through: the node was told to stop; audit it");
  return found;
}

}  // namespace gelombang::storage
