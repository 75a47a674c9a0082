#include "net/command/connections.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

namespace gelombang::command {
namespace {

/// Of a limit that is smaller than what is kept, half is the public's.
std::uint64_t room_in(std::uint64_t descriptors_max) {
  return std::max<std::uint64_t>(
      1,
      std::max(descriptors_max / 2, descriptors_max - std::min(descriptors_max, descriptors_kept)));
}

}  // namespace

connection_bound connections_within(std::uint64_t asked,
                                    const std::optional<std::uint64_t>& descriptors_max) {
  const auto wanted = asked == 0 ? connections_usual : asked;
  if (!descriptors_max || wanted <= room_in(*descriptors_max)) return {.most = wanted};
  if (asked == 0)
    return {.most = room_in(*descriptors_max),
            .note = fmt::format(
                "{} connections at once, as many as this process's limit of {} files leaves room "
                "for; with a higher one (ulimit -n, LimitNOFILE) it would be {} "
                "(front_door.connections_max)",
                room_in(*descriptors_max), *descriptors_max, wanted)};
  return {.most = asked,
          .is_beyond = true,
          .note = fmt::format(
              "front_door.connections_max = {}, but this process may have {} files and connections "
              "in all, of which {} are not the public's: raise that limit (ulimit -n, "
              "LimitNOFILE), or set front_door.connections_max to {} at most, or to 0 for as many "
              "as fit; whoever comes beyond it waits",
              asked, *descriptors_max, *descriptors_max - room_in(*descriptors_max),
              room_in(*descriptors_max))};
}

connection_bound connections_of(const settings& with) {
  rlimit now{};
  const bool is_known = ::getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_max != RLIM_INFINITY;
  return connections_within(with.front_door.connections_max,
                            is_known ? std::optional<std::uint64_t>{now.rlim_max} : std::nullopt);
}

}  // namespace gelombang::command
