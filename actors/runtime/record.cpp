#include "actors/runtime/record.hpp"

#include <cstring>

namespace gelombang::runtime {
namespace {

template <class Number>
void append(std::string& to, Number number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  to.append(bytes, sizeof number);
}

class cursor {
public:
  explicit cursor(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  Number take() {
    Number number{};
    if (rest_.size() < sizeof number) {
      failed_ = true;
      return number;
    }
    std::memcpy(&number, rest_.data(), sizeof number);
    rest_.remove_prefix(sizeof number);
    return number;
  }

  std::string_view take_body() {
    const auto size = take<std::uint32_t>();
    if (failed_ || size > rest_.size() || size > record_body_bytes_max) {
      failed_ = true;
      return {};
    }
    const auto body = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return body;
  }

  entity_ref take_ref() {
    const auto what = take<std::uint8_t>();
    return {static_cast<kind>(what), take<std::uint64_t>()};
  }

  bool failed() const { return failed_; }
  std::string_view rest() const { return rest_; }

private:
  std::string_view rest_;
  bool failed_ = false;
};

void append_ref(std::string& to, entity_ref who) {
  append(to, static_cast<std::uint8_t>(who.kind));
  append(to, who.id);
}

void append_body(std::string& to, std::string_view body) {
  append(to, static_cast<std::uint32_t>(body.size()));
  to.append(body);
}

}  // namespace

void append_record(std::string& to, const record& what) {
  append(to, static_cast<std::uint8_t>(what.type));
  switch (what.type) {
    case record_type::event:
      append_ref(to, what.who);
      append_body(to, what.body);
      return;
    case record_type::mail_sent:
      append(to, what.peer);
      append(to, what.sequence);
      append_ref(to, what.who);
      append_body(to, what.body);
      return;
    case record_type::mail_received:
    case record_type::mail_acknowledged:
      append(to, what.peer);
      append(to, what.sequence);
      return;
    case record_type::deadline_set:
    case record_type::deadline_cleared:
      append_ref(to, what.who);
      append(to, what.sequence);
      append(to, what.tag);
      return;
  }
}

result<record> take_record(std::string_view& from) {
  cursor bytes{from};
  record found;
  found.type = static_cast<record_type>(bytes.take<std::uint8_t>());
  switch (found.type) {
    case record_type::event:
      found.who = bytes.take_ref();
      found.body = bytes.take_body();
      break;
    case record_type::mail_sent:
      found.peer = bytes.take<shard_index>();
      found.sequence = bytes.take<std::uint64_t>();
      found.who = bytes.take_ref();
      found.body = bytes.take_body();
      break;
    case record_type::mail_received:
    case record_type::mail_acknowledged:
      found.peer = bytes.take<shard_index>();
      found.sequence = bytes.take<std::uint64_t>();
      break;
    case record_type::deadline_set:
    case record_type::deadline_cleared:
      found.who = bytes.take_ref();
      found.sequence = bytes.take<std::uint64_t>();
      found.tag = bytes.take<std::uint32_t>();
      break;
    default:
      return refuse(errc::internal, {}, "unknown record type");
  }
  if (bytes.failed()) return refuse(errc::internal, {}, "record cut short");
  from = bytes.rest();
  return found;
}

}  // namespace gelombang::runtime
