#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

#include "actors/programme/clock.hpp"
#include "actors/programme/sha256.hpp"

namespace gelombang::net {

/// What a ticket says: a place in the line of one room, and whose it is.
struct waiting_ticket {
  /// When the room that counts this place was made. Places of two rooms can't be compared.
  instant epoch;
  std::uint64_t place = 0;  ///< below `places_end`
  instant issued_at;
  /// When its turn was expected, as it was told last: what counts once its room is gone.
  instant expected_at;
  std::uint64_t subject = 0;
  /// Whether it has been brought back before.
  bool is_renewed = false;

  static constexpr std::uint64_t places_end = std::uint64_t{1} << 48;
  friend bool operator==(const waiting_ticket&, const waiting_ticket&) = default;
};

/// Why a ticket gives no turn.
enum class ticket_fault : std::uint8_t {
  malformed,        ///< not the length, not the alphabet, another version
  forged,           ///< not signed by us
  of_another,       ///< another account, device or address came with it
  from_the_future,  ///< issued later than now
  of_another_room,  ///< of a room that this one knows nothing of
  expired,          ///< came too long after its turn
  used,
};
inline constexpr std::size_t ticket_faults = 7;
std::string_view name_of(ticket_fault why);

/// Writes tickets and reads them: base64url of 33 bytes (version, epoch, place, both times,
/// subject; big-endian) and of the first 18 bytes of their HMAC-SHA-256. Neither allocates; each
/// costs an HMAC over one block. Const and thread-safe.
class waiting_tickets {
public:
  static constexpr std::size_t text_bytes = 68;
  using text = std::array<char, text_bytes>;

  explicit waiting_tickets(const std::array<std::uint8_t, 32>& key) : mac_(key) {}

  text write(const waiting_ticket& ticket) const;
  /// @returns `malformed` or `forged` for anything that `write` has not made, to the last bit.
  tl::expected<waiting_ticket, ticket_fault> read(std::string_view given) const;

private:
  hmac_sha256 mac_;
};

}  // namespace gelombang::net
