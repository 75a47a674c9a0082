#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "actors/programme/result.hpp"
#include "actors/runtime/entity.hpp"

namespace gelombang::runtime {

/// What stands in a frame: one record after the other, each counted by one lsn. storage/FORMAT.md
/// has the grammar; all numbers are little-endian.
enum class record_type : std::uint8_t {
  event = 1,              ///< something happened to an entity
  mail_sent = 2,          ///< a mail to another shard, numbered
  mail_received = 3,      ///< a mail from another shard has had its effect (in the same frame)
  mail_acknowledged = 4,  ///< the receiver has it for good: it need not be kept
  deadline_set = 5,
  deadline_cleared = 6,
};

/// One record, decoded. The members that a type does not use are zero. Views into the frame.
struct record {
  record_type type{};
  entity_ref who{};            ///< event: whose; mail_sent: for whom; deadline: whose
  shard_index peer = 0;        ///< mail: the other shard
  std::uint64_t sequence = 0;  ///< mail: its number; deadline: milliseconds since 1970
  std::uint32_t tag = 0;       ///< deadline: what for
  std::string_view body{};     ///< event: the event; mail_sent: the mail
};

/// Longest body that is stored; a longer one is a fault of ours.
inline constexpr std::size_t record_body_bytes_max = 16u << 20;

void append_record(std::string& to, const record& what);

/// Takes the first record off `from`. @returns `internal` when the bytes are no record.
result<record> take_record(std::string_view& from);

}  // namespace gelombang::runtime
