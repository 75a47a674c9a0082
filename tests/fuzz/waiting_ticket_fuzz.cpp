// Tickets come from anywhere. None that we have not made is taken; each that we make says again
// what it was made of, none of its characters can be changed, and a room takes any text as a
// ticket.
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "net/waiting_room/waiting_room.hpp"

namespace {

using namespace gelombang;
using namespace gelombang::net;

constexpr std::array<std::uint8_t, 32> key{1, 2, 3};
constexpr instant now{std::chrono::seconds{1'800'000'000}};
const waiting_tickets tickets{key};

void as_a_stranger(std::string_view text) {
  if (tickets.read(text).has_value()) std::abort();
  static waiting_room room{{.mode = room_mode::on, .places_kept = 64}, key, now};
  const auto done = room.arrive({.subject = 1, .ticket = text, .newcomers = node_room::none}, now);
  if (done.what != verdict::kind::wait) std::abort();
}

void as_ours(std::string_view bytes) {
  std::uint64_t numbers[6];
  if (bytes.size() < sizeof numbers) return;
  std::memcpy(numbers, bytes.data(), sizeof numbers);
  const auto time = [](std::uint64_t number) {
    return instant{std::chrono::milliseconds{number % waiting_ticket::places_end}};
  };
  const waiting_ticket given{.epoch = time(numbers[0]),
                             .place = numbers[1] % waiting_ticket::places_end,
                             .issued_at = time(numbers[2]),
                             .expected_at = time(numbers[3]),
                             .subject = numbers[4],
                             .is_renewed = (numbers[5] & 1) != 0};
  auto text = tickets.write(given);
  const auto read = tickets.read({text.data(), text.size()});
  if (!read || *read != given) std::abort();
  auto& one = text[numbers[5] % text.size()];
  one = one == 'A' ? 'B' : 'A';
  if (tickets.read({text.data(), text.size()}).has_value()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
  data[0] % 2 == 0 ? as_a_stranger(rest) : as_ours(rest);
  return 0;
}
