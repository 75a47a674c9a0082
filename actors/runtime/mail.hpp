#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "actors/runtime/entity.hpp"

namespace gelombang::runtime {

/// A message between entities of different shards that is never lost and takes effect once: it is
/// part of the sender's frame, and the receiver notes its number in the frame of its effect.
struct mail {
  entity_ref to{};
  std::string body{};  ///< a protobuf message of the receiving room
};

/// Where a mail came from; what the receiver notes to know it again.
struct mail_source {
  shard_index from = 0;
  std::uint64_t sequence = 0;  ///< 0: no mail
};

/// What one shard has sent to another and is not yet sure to have arrived.
struct outbox {
  std::uint64_t next = 1;
  std::map<std::uint64_t, mail> waiting;
};

/// Which mails of one other shard have had their effect. Mails to different entities of a shard
/// may finish in any order, so what is done ahead of a gap is kept apart until the gap closes.
class inbox {
public:
  inbox() = default;
  inbox(std::uint64_t complete, std::set<std::uint64_t> beyond)
      : complete_(complete), beyond_(std::move(beyond)) {}

  bool has(std::uint64_t sequence) const {
    return sequence <= complete_ || beyond_.contains(sequence);
  }

  void take(std::uint64_t sequence) {
    if (sequence <= complete_) return;
    beyond_.insert(sequence);
    while (!beyond_.empty() && *beyond_.begin() == complete_ + 1) {
      beyond_.erase(beyond_.begin());
      ++complete_;
    }
  }

  std::uint64_t complete() const { return complete_; }
  const std::set<std::uint64_t>& beyond() const { return beyond_; }

private:
  std::uint64_t complete_ = 0;
  std::set<std::uint64_t> beyond_;
};

}  // namespace gelombang::runtime
