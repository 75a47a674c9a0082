#include "net/command/draws.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "actors/programme/hex.hpp"
#include "actors/wave/draw/verify.hpp"

namespace gelombang::command {

int verify_draw(const draw_order& order) {
  std::optional<entry_id> entry;
  if (!order.entry.empty()) {
    entry.emplace();
    if (!read_hex(order.entry, *entry)) {
      fmt::print(stderr, "gelombang: --entry must be 32 hexadecimal digits\n");
      return 2;
    }
  }
  const auto threads = std::max(1u, std::thread::hardware_concurrency());
  auto checked = draw::verify(order.summary, order.entries, entry, threads);
  if (checked) {
    fmt::print("{}", draw::describe(*checked));
    return 0;
  }
  fmt::print(stderr, "gelombang: {}\n", checked.error().detail);
  return checked.error().what == draw::verify_failure::kind::disagrees ? 1 : 3;
}

}  // namespace gelombang::command
