#include "actors/runtime/replay.hpp"

#include <fmt/format.h>

#include "actors/runtime/record.hpp"

namespace gelombang::runtime {

kinds_by_number by_number(const std::vector<const entity_kind*>& kinds) {
  kinds_by_number all{};
  for (const auto* one : kinds) all[static_cast<std::size_t>(one->what())] = one;
  return all;
}

storage::result<std::uint64_t> replay(shard& home, const storage::stored_frame& frame,
                                      const kinds_by_number& rooms) {
  const auto replay_event = [&](entity_ref who, std::string_view event, row_editor& rows) {
    const auto* room = rooms[static_cast<std::size_t>(who.kind)];
    if (!room) return result<void>{refuse(errc::internal, {}, "event of an unknown kind")};
    return room->replay(home, who, event, rows);
  };
  std::uint64_t news = 0;
  auto rest = frame.records;
  for (auto at = frame.first; !rest.empty(); ++at) {
    auto what = take_record(rest);
    if (what && at > home.last()) {
      ++news;
      if (auto done = home.replay(at, *what, replay_event); !done)
        what = tl::unexpected(done.error());
    }
    if (!what)
      return storage::failed(
          storage::fault::corrupt,
          fmt::format("shard {} record {}: {}", home.index(), at, what.error().detail));
  }
  return news;
}

}  // namespace gelombang::runtime
