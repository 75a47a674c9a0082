#include "actors/wave/draw/row.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "actors/programme/hex.hpp"
#include "actors/programme/region.hpp"

namespace gelombang::draw {
namespace {

constexpr std::size_t columns = 8;
constexpr std::string_view undrawn_columns = ",,,\n";

char* write_text(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

char* write_number(char* to, std::uint32_t number) {
  return std::to_chars(to, to + 10, number).ptr;
}

std::size_t digits_of(std::uint32_t number) {
  std::size_t digits = 1;
  for (; number >= 10; number /= 10) ++digits;
  return digits;
}

/// As `write_committed`.
std::size_t committed_bytes(const roster_entry& entry) {
  return std::size_t{32 + 1 + 4 + 1} + digits_of(entry.groups) + std::size_t{1 + 16 + 1} +
         digits_of(entry.family_room);
}

std::array<std::uint8_t, 8> big_endian_bytes(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes;
  number = __builtin_bswap64(number);
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

/// A decimal number in its one spelling: no sign, no leading zero.
std::optional<std::uint32_t> read_number(std::string_view text) {
  if (text.empty() || (text.front() == '0' && text.size() > 1)) return std::nullopt;
  std::uint32_t number = 0;
  auto* end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return number;
}

std::optional<outcome> read_outcome(std::string_view text) {
  for (auto what : {outcome::accepted, outcome::reserve, outcome::family_full}) {
    if (text == name_of(what)) return what;
  }
  return std::nullopt;
}

std::optional<std::array<std::string_view, columns>> split(std::string_view line) {
  std::array<std::string_view, columns> fields;
  for (std::size_t i = 0; i + 1 < columns; ++i) {
    auto comma = line.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    fields[i] = line.substr(0, comma);
    line.remove_prefix(comma + 1);
  }
  if (line.find(',') != std::string_view::npos) return std::nullopt;
  fields.back() = line;
  return fields;
}

using fault = tl::unexpected<std::string_view>;

tl::expected<drawn_columns, std::string_view> read_drawn(std::string_view ticket,
                                                         std::string_view result,
                                                         std::string_view order) {
  drawn_columns drawn;
  if (!read_hex(ticket, drawn.ticket)) return fault("ticket");
  auto what = read_outcome(result);
  if (!what) return fault("outcome");
  if (*what != outcome::reserve) {
    if (!order.empty()) return fault("order");
    drawn.own = {*what, 0};
    return drawn;
  }
  auto place = read_number(order);
  if (!place || *place == 0 || *place > entries_max) return fault("order");
  drawn.own = {*what, *place};
  return drawn;
}

}  // namespace

char* write_committed(char* to, const roster_entry& entry) {
  to = write_hex(to, entry.id);
  *to++ = ',';
  auto region = entry.region.value;
  for (auto power : {1000, 100, 10, 1}) *to++ = static_cast<char>('0' + region / power % 10);
  *to++ = ',';
  to = write_number(to, entry.groups);
  *to++ = ',';
  to = write_hex(to, big_endian_bytes(entry.family));
  *to++ = ',';
  return write_number(to, entry.family_room);
}

char* write_row(char* to, const roster_entry& entry) {
  return write_text(write_committed(to, entry), undrawn_columns);
}

char* write_row(char* to, const roster_entry& entry, const digest& ticket, verdict own) {
  to = write_committed(to, entry);
  *to++ = ',';
  to = write_hex(to, ticket);
  *to++ = ',';
  to = write_text(to, name_of(own.outcome()));
  *to++ = ',';
  if (own.outcome() == outcome::reserve) to = write_number(to, own.order());
  *to++ = '\n';
  return to;
}

std::size_t row_bytes(const roster_entry& entry) {
  return committed_bytes(entry) + undrawn_columns.size();
}

std::size_t row_bytes(const roster_entry& entry, verdict own) {
  const auto order = own.outcome() == outcome::reserve ? digits_of(own.order()) : 0;
  return committed_bytes(entry) + std::size_t{1 + 64 + 1} + name_of(own.outcome()).size() + 1 +
         order + 1;
}

tl::expected<published_row, std::string_view> read_row(std::string_view line) {
  auto fields = split(line);
  if (!fields) return fault("row");
  auto [id, region, groups, family, room, ticket, result, order] = *fields;
  published_row row;
  if (!read_hex(id, row.entry.id)) return fault("entry_id");
  auto code = parse_region_code(region);
  if (!code) return fault("region");
  row.entry.region = *code;
  auto mask = read_number(groups);
  if (!mask) return fault("groups");
  row.entry.groups = *mask;
  std::array<std::uint8_t, 8> pseudonym;
  if (!read_hex(family, pseudonym)) return fault("family");
  std::memcpy(&row.entry.family, pseudonym.data(), sizeof row.entry.family);
  row.entry.family = __builtin_bswap64(row.entry.family);
  auto places = read_number(room);
  if (!places || *places == 0 || *places > family_room_max) return fault("family_room");
  row.entry.family_room = static_cast<std::uint8_t>(*places);
  if (ticket.empty() && result.empty() && order.empty()) return row;
  auto drawn = read_drawn(ticket, result, order);
  if (!drawn) return fault(drawn.error());
  row.drawn = *drawn;
  return row;
}

}  // namespace gelombang::draw
