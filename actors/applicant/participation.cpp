#include "actors/applicant/participation.hpp"

namespace gelombang::applicant {
namespace {

constexpr std::uint8_t format_plain = 1;
constexpr std::uint8_t format_with_request = 2;
constexpr std::size_t plain_bytes = 1 + 6 + 2 + 4 + 8;
static_assert(plain_bytes + 16 == participation_bytes_max);

void put(std::string& to, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint64_t take(std::string_view& from, std::size_t bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    number |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(from[i])) << (8 * i);
  }
  from.remove_prefix(bytes);
  return number;
}

// Protocol Buffers' wire format, as far as the event of a join needs it.

constexpr std::uint8_t tag(int field, int wire_type) {
  return static_cast<std::uint8_t>(field << 3 | wire_type);
}
constexpr int varint = 0, fixed_64 = 1, delimited = 2;

void put_varint(std::string& to, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) to.push_back(static_cast<char>(number | 0x80));
  to.push_back(static_cast<char>(number));
}

/// A field that holds its default is left out.
void put_varint_field(std::string& to, int field, std::uint64_t number) {
  if (number == 0) return;
  to.push_back(static_cast<char>(tag(field, varint)));
  put_varint(to, number);
}

void put_fixed_field(std::string& to, int field, std::uint64_t number) {
  if (number == 0) return;
  to.push_back(static_cast<char>(tag(field, fixed_64)));
  put(to, number, 8);
}

std::int64_t milliseconds(instant at) {
  return at.time_since_epoch().count();
}

instant instant_of(std::int64_t milliseconds) {
  return instant{std::chrono::milliseconds{milliseconds}};
}

}  // namespace

std::string encode(const participation& row) {
  std::string bytes;
  bytes.reserve(participation_bytes_max);
  put(bytes, row.request ? format_with_request : format_plain, 1);
  put(bytes, static_cast<std::uint64_t>(milliseconds(row.joined_at)), 6);
  put(bytes, row.region.value, 2);
  put(bytes, row.groups, 4);
  put(bytes, row.family, 8);
  if (row.request) {
    put(bytes, row.request->key, 8);
    put(bytes, row.request->fingerprint, 8);
  }
  return bytes;
}

result<participation> decode_participation(std::string_view row) {
  auto unknown = [] { return refuse(errc::internal, {}, "participation row"); };
  if (row.size() < plain_bytes) return unknown();
  auto format = take(row, 1);
  auto expected_bytes = format == format_plain          ? plain_bytes - 1
                        : format == format_with_request ? participation_bytes_max - 1
                                                        : 0;
  if (row.size() != expected_bytes) return unknown();
  participation made;
  made.joined_at = instant_of(static_cast<std::int64_t>(take(row, 6)));
  made.region.value = static_cast<std::uint16_t>(take(row, 2));
  made.groups = static_cast<std::uint32_t>(take(row, 4));
  made.family = take(row, 8);
  if (format == format_with_request) {
    made.request.emplace();
    made.request->key = take(row, 8);
    made.request->fingerprint = take(row, 8);
  }
  return made;
}

std::string joined_event(wave_number wave, const participation& row) {
  std::string event;
  event.reserve(64);
  put_varint_field(event, wire::Event::kAtFieldNumber,
                   static_cast<std::uint64_t>(milliseconds(row.joined_at)));
  if (row.request) {
    auto bytes = (row.request->key ? 9u : 0u) + (row.request->fingerprint ? 9u : 0u);
    event.push_back(static_cast<char>(tag(wire::Event::kRequestFieldNumber, delimited)));
    put_varint(event, bytes);
    put_fixed_field(event, wire::RequestKey::kKeyFieldNumber, row.request->key);
    put_fixed_field(event, wire::RequestKey::kFingerprintFieldNumber, row.request->fingerprint);
  }
  put_varint(event, wire::Event::kJoinedFieldNumber << 3 | delimited);
  // What follows is at most 27 bytes long, so its length is one byte, filled in when it is known.
  event.push_back(0);
  auto begin = event.size();
  put_varint_field(event, wire::Joined::kWaveFieldNumber, wave.value);
  put_varint_field(event, wire::Joined::kRegionFieldNumber, row.region.value);
  put_varint_field(event, wire::Joined::kGroupsFieldNumber, row.groups);
  put_fixed_field(event, wire::Joined::kFamilyFieldNumber, row.family);
  event[begin - 1] = static_cast<char>(event.size() - begin);
  return event;
}

participation participation_of(const wire::Event& event) {
  const auto& joined = event.joined();
  participation row;
  row.joined_at = instant_of(event.at());
  row.region.value = static_cast<std::uint16_t>(joined.region());
  row.groups = joined.groups();
  row.family = joined.family();
  if (event.has_request()) {
    row.request = request_key{event.request().key(), event.request().fingerprint()};
  }
  return row;
}

}  // namespace gelombang::applicant
