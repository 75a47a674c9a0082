#include "load-tests/replay/verify.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

#include "actors/seed/people.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX asks for it

namespace gelombang::load::replay {
namespace {

constexpr std::string_view header =
    "entry_id,region,groups,family,family_room,ticket,outcome,order";

std::uint64_t first_bytes(const entry_id& id) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < 8; ++i) bytes = bytes << 8 | id[i];
  return bytes;
}

/// The seventh of eight fields, and the id's first half; nothing for a line that has other fields.
struct entry_line {
  std::uint64_t id = 0;
  std::string_view outcome;
};
std::optional<entry_line> read_line(std::string_view line) {
  constexpr std::size_t id_digits = 32;
  entry_line read;
  std::size_t field = 0;
  for (std::size_t at = 0; field < 8; ++field) {
    const auto end = std::min(line.find(',', at), line.size());
    const auto text = line.substr(at, end - at);
    if (field == 0) {
      const auto [rest, fault] = std::from_chars(text.data(), text.data() + 16, read.id, 16);
      if (text.size() != id_digits || fault != std::errc{} || rest != text.data() + 16)
        return std::nullopt;
    }
    if (field == 6) read.outcome = text;
    if (end == line.size()) break;
    at = end + 1;
  }
  if (field != 7) return std::nullopt;
  return read;
}

}  // namespace

tl::expected<published, std::string> read_entries(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::string line;
  const auto wrong = [&](std::uint64_t number) {
    return tl::unexpected(fmt::format("{}:{}: is no entry of a draw", file.string(), number));
  };
  if (!std::getline(in, line) || line != header) return wrong(1);
  published read;
  while (std::getline(in, line)) {
    const auto entry = read_line(line);
    if (!entry) return wrong(read.entries + 2);
    ++read.entries;
    if (entry->outcome == "accepted") read.accepted.push_back(entry->id);
  }
  std::sort(read.accepted.begin(), read.accepted.end());
  return read;
}

std::uint64_t make_members(const published& draw, std::uint32_t wave, const keyring& keys,
                           std::uint64_t people, crowd& who) {
  std::uint64_t found = 0;
  for (std::uint64_t number = 1; number <= people; ++number) {
    if (!who.joined().at(number)) continue;
    const auto entry = keys.entry_of({wave}, keys.account_of(seed::email_of(number)));
    if (!std::binary_search(draw.accepted.begin(), draw.accepted.end(), first_bytes(entry)))
      continue;
    ++found;
    who.members().set(number);
  }
  return found;
}

tl::expected<void, std::string> verify_draw(const std::filesystem::path& program,
                                            const std::filesystem::path& summary,
                                            const std::filesystem::path& entries) {
  std::array<std::string, 7> words{program.string(), "draw",      "verify",        "--summary",
                                   summary.string(), "--entries", entries.string()};
  std::array<char*, 8> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  posix_spawn_file_actions_t silent;
  ::posix_spawn_file_actions_init(&silent);
  ::posix_spawn_file_actions_addopen(&silent, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int refused =
      ::posix_spawn(&child, program.c_str(), &silent, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&silent);
  if (refused != 0)
    return tl::unexpected(fmt::format("{}: {}", program.string(), std::strerror(refused)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return tl::unexpected(std::string{std::strerror(errno)});
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return tl::unexpected(fmt::format("`draw verify` ended with {}",
                                    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)));
}

}  // namespace gelombang::load::replay
