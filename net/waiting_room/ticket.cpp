#include "net/waiting_room/ticket.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <span>

#include "actors/programme/base64url.hpp"
#include "actors/programme/hex.hpp"

namespace gelombang::net {
namespace {

/// The first byte, by whether the ticket is renewed.
constexpr std::array<std::uint8_t, 2> versions = {0x10, 0x11};
constexpr std::size_t message_bytes = 1 + 6 + 6 + 6 + 6 + 8;
/// 144 bits, so that the whole has no bits left over in base64: each ticket has one spelling.
constexpr std::size_t mac_bytes = 18;
constexpr std::size_t ticket_bytes = message_bytes + mac_bytes;
static_assert(ticket_bytes % 3 == 0 && ticket_bytes / 3 * 4 == waiting_tickets::text_bytes);

using raw = std::array<std::uint8_t, ticket_bytes>;

class writer {
public:
  explicit writer(raw& to) : at_(to.data()) {}
  void put(std::uint64_t value, int bytes) {
    for (auto shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
      *at_++ = static_cast<std::uint8_t>(value >> shift);
    }
  }
  void put(instant when) { put(static_cast<std::uint64_t>(when.time_since_epoch().count()), 6); }

private:
  std::uint8_t* at_;
};

class reader {
public:
  explicit reader(const raw& from) : at_(from.data()) {}
  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | *at_++;
    return value;
  }
  instant time() { return instant{std::chrono::milliseconds{number(6)}}; }

private:
  const std::uint8_t* at_;
};

std::span<const std::uint8_t> message_of(const raw& bytes) {
  return std::span{bytes}.first(message_bytes);
}

}  // namespace

std::string_view name_of(ticket_fault why) {
  switch (why) {
    case ticket_fault::malformed:
      return "malformed";
    case ticket_fault::forged:
      return "forged";
    case ticket_fault::of_another:
      return "of_another";
    case ticket_fault::from_the_future:
      return "from_the_future";
    case ticket_fault::of_another_room:
      return "of_another_room";
    case ticket_fault::expired:
      return "expired";
    case ticket_fault::used:
      return "used";
  }
  return {};
}

waiting_tickets::text waiting_tickets::write(const waiting_ticket& ticket) const {
  raw bytes;
  writer to{bytes};
  to.put(versions[ticket.is_renewed ? 1 : 0], 1);
  to.put(ticket.epoch);
  to.put(ticket.place, 6);
  to.put(ticket.issued_at);
  to.put(ticket.expected_at);
  to.put(ticket.subject, 8);
  const auto mac = mac_(message_of(bytes));
  std::copy_n(mac.begin(), mac_bytes, bytes.begin() + message_bytes);
  text made;
  write_base64url(text_of(bytes), made.data());
  return made;
}

tl::expected<waiting_ticket, ticket_fault> waiting_tickets::read(std::string_view given) const {
  raw bytes;
  if (given.size() != text_bytes || !read_base64url(given, bytes).has_value()) {
    return tl::unexpected(ticket_fault::malformed);
  }
  reader from{bytes};
  const auto version = from.number(1);
  if (version != versions[0] && version != versions[1]) {
    return tl::unexpected(ticket_fault::malformed);
  }
  const auto mac = mac_(message_of(bytes));
  if (CRYPTO_memcmp(mac.data(), bytes.data() + message_bytes, mac_bytes) != 0) {
    return tl::unexpected(ticket_fault::forged);
  }
  waiting_ticket found;
  found.is_renewed = version == versions[1];
  found.epoch = from.time();
  found.place = from.number(6);
  found.issued_at = from.time();
  found.expected_at = from.time();
  found.subject = from.number(8);
  return found;
}

}  // namespace gelombang::net
