#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/language.hpp"
#include "net/waiting_room/waiting_room.hpp"

namespace gelombang::net {

class exchange;

/// With which a ticket is brought back, and with which a device that has nobody signed in names
/// itself.
inline constexpr std::string_view ticket_header = "Waiting-Ticket";
inline constexpr std::string_view device_header = "Device-Id";
inline constexpr std::size_t device_id_bytes_min = 8;
inline constexpr std::size_t device_id_bytes_max = 64;

/// The device that the header names (8 to 64 visible ASCII characters, once), as a number; nothing
/// when it names none. Whoever asks chooses it.
std::optional<std::uint64_t> device_of(const exchange& x);

/// Whose place it is: the account where the route's access has made sure of one, otherwise the
/// device, otherwise the address. What a person has as one of them is not his as another.
std::uint64_t subject_of(const exchange& x);

/// Appends the problem document of `errc::waiting`, with ticket, place, ahead and expected_at.
void append_waiting(std::string& to, const waiting& told, language speech);

/// Answers 503 with that document and Retry-After.
void tell_to_wait(exchange& x, const waiting& told);

}  // namespace gelombang::net
