#pragma once

#include <google/protobuf/message_lite.h>
#include <boost/container/small_vector.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "actors/programme/clock.hpp"
#include "actors/runtime/mail.hpp"
#include "actors/runtime/record.hpp"
#include "actors/runtime/rows.hpp"

namespace gelombang::runtime {

/// What one command leads to, taken by the shard whole or not at all: events, the rows they change,
/// mail, deadlines, and the note that a mail has been dealt with. Built by an actor, used once.
class step final : public row_writer {
public:
  explicit step(entity_ref who) : who_(who) {}

  void event(std::string_view encoded) {
    append_record(records_, {.type = record_type::event, .who = who_, .body = encoded});
    ++count_;
  }
  void event(const google::protobuf::MessageLite& message) {
    event(std::string_view{message.SerializeAsString()});
  }

  void put(std::string key, std::string value) override {
    rows_.emplace_back(std::move(key), std::move(value));
  }
  void erase(std::string key) override { rows_.emplace_back(std::move(key), std::nullopt); }
  void count(counter which, std::int64_t by) override { counts_.emplace_back(which, by); }

  void send(entity_ref to, const google::protobuf::MessageLite& message) {
    send_bytes(to, message.SerializeAsString());
  }
  void send_bytes(entity_ref to, std::string encoded) {
    mails_.push_back({to, std::move(encoded)});
  }
  /// To the world outside: e-mail, partners. Kept until `shard::acknowledge`.
  void send_outside(const google::protobuf::MessageLite& message) {
    send_outside_bytes(message.SerializeAsString());
  }
  void send_outside_bytes(std::string encoded) { outside_.push_back(std::move(encoded)); }

  /// The command came by this mail: its effect and this note are one.
  void received(mail_source source) { source_ = source; }

  void set_deadline(instant due, std::uint32_t tag) {
    deadline(record_type::deadline_set, due, tag);
  }
  void clear_deadline(instant due, std::uint32_t tag) {
    deadline(record_type::deadline_cleared, due, tag);
  }

  /// Take this step only while gate `number` is open; otherwise it is refused as `wave_not_open`.
  void require_gate(std::uint64_t number) { required_gate_ = number; }
  void set_gate(std::uint64_t number, bool open) { gate_ = {number, open}; }

  /// What it adds to a frame, but for a few bytes a record.
  std::size_t bytes() const {
    auto sum = records_.size();
    for (const auto& letter : mails_) sum += letter.body.size();
    for (const auto& body : outside_) sum += body.size();
    return sum;
  }

  bool empty() const { return count_ == 0 && mails_.empty() && outside_.empty() && !has_source(); }

private:
  friend class shard;

  bool has_source() const { return source_.sequence != 0; }

  void deadline(record_type type, instant due, std::uint32_t tag) {
    record what{.type = type, .who = who_, .tag = tag};
    what.sequence = static_cast<std::uint64_t>(due.time_since_epoch().count());
    append_record(records_, what);
    deadlines_.push_back(what);
    ++count_;
  }

  entity_ref who_;
  std::string records_;
  std::uint32_t count_ = 0;
  boost::container::small_vector<std::pair<std::string, std::optional<std::string>>, 2> rows_;
  boost::container::small_vector<std::pair<counter, std::int64_t>, 2> counts_;
  boost::container::small_vector<record, 1> deadlines_;
  boost::container::small_vector<mail, 1> mails_;
  boost::container::small_vector<std::string, 1> outside_;
  mail_source source_;
  std::optional<std::uint64_t> required_gate_;
  std::optional<std::pair<std::uint64_t, bool>> gate_;
};

}  // namespace gelombang::runtime
