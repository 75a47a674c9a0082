// What the runtime and the rooms have stored: records of a frame, rows of the state. The first byte
// says as what the rest is read. Whatever reads is written back as it was, and events that read can
// be replayed in any order.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "actors/applicant/participation.hpp"
#include "actors/applicant/rules.hpp"
#include "actors/provider/rules.hpp"
#include "actors/registry/rules.hpp"
#include "actors/roster/rules.hpp"
#include "actors/runtime/record.hpp"
#include "actors/runtime/runtime.pb.h"
#include "actors/wave/rules.hpp"

namespace {

using namespace gelombang;
using applicant::apply;
using provider::apply;
using registry::apply;
using roster::apply;
using wave::apply;

/// Something that must never happen has happened: the fuzzer keeps the input.
void require(bool holds) {
  if (!holds) std::abort();
}

void as_records(std::string_view frame) {
  for (auto rest = frame; !rest.empty();) {
    const auto before = rest;
    const auto record = runtime::take_record(rest);
    if (!record) return;
    require(rest.size() < before.size());
    std::string again;
    runtime::append_record(again, *record);
    require(again == before.substr(0, before.size() - rest.size()));
  }
}

void as_participation(std::string_view row) {
  const auto read = applicant::decode_participation(row);
  if (!read) return;
  require(applicant::encode(*read) == row);
  applicant::wire::Event event;
  require(event.ParseFromString(applicant::joined_event(wave_number{7}, *read)));
  require(event.joined().wave() == 7 && applicant::participation_of(event) == *read);
}

template <class Message>
bool reads(std::string_view bytes, Message& message) {
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  // What is written of it reads, and is the same from then on.
  const auto written = message.SerializeAsString();
  Message again;
  require(again.ParseFromString(written) && again.SerializeAsString() == written);
  return true;
}

template <class Message>
void as_message(std::string_view bytes) {
  Message message;
  (void)reads(bytes, message);
}

/// Six bytes: as much as a participation keeps of a time.
constexpr std::int64_t time_max = (std::int64_t{1} << 47) - 1;

template <class Event>
bool has_a_time(const Event& event) {
  if constexpr (requires { event.at(); }) {
    return static_cast<std::int64_t>(event.at()) >= 0 &&
           static_cast<std::int64_t>(event.at()) <= time_max;
  }
  return true;
}

/// A row, then events that are replayed on top of nothing: each behind a byte with its length.
template <class State, class Event, class Apply>
void as_history(std::string_view bytes, Apply apply) {
  State state;
  Event event;
  for (auto first = true; !bytes.empty(); first = false) {
    const auto length =
        std::min<std::size_t>(static_cast<unsigned char>(bytes[0]), bytes.size() - 1);
    const auto part = bytes.substr(1, length);
    bytes.remove_prefix(1 + length);
    if (first) as_message<State>(part);
    if (first || !reads(part, event) || !has_a_time(event)) continue;
    apply(state, event);
  }
  std::string row;
  if (state.SerializeToString(&row)) require(reads(row, state));
}

void as_entity(unsigned which, std::string_view bytes) {
  const auto plain = [](auto& state, const auto& event) { apply(state, event); };
  switch (which) {
    case 0:
      return as_history<applicant::wire::State, applicant::wire::Event>(bytes, plain);
    case 1:
      return as_history<registry::wire::Person, registry::wire::PersonEvent>(bytes, plain);
    case 2:
      return as_history<registry::wire::Phone, registry::wire::PhoneEvent>(bytes, plain);
    case 3:
      return as_history<registry::wire::Family, registry::wire::FamilyEvent>(bytes, plain);
    case 4:
      return as_history<roster::wire::State, roster::wire::Event>(bytes, plain);
    case 5:
      return as_history<wave::wire::Calendar, wave::wire::CalendarEvent>(bytes, plain);
    case 6:
      return as_history<provider::wire::State, provider::wire::Event>(bytes, plain);
    default:
      return as_history<wave::wire::State, wave::wire::Event>(
          bytes, [](auto& state, const auto& event) { apply(state, event, 4); });
  }
}

void as_other_row(unsigned which, std::string_view bytes) {
  switch (which) {
    case 0:
      return as_message<runtime::wire::Shard>(bytes);
    case 1:
      return as_message<roster::wire::Member>(bytes);
    case 2:
      return as_message<roster::wire::Places>(bytes);
    case 3:
      return as_message<roster::wire::TakePlaces>(bytes);
    case 4:
      return as_message<applicant::wire::Letter>(bytes);
    case 5:
      return as_message<applicant::wire::Notice>(bytes);
    case 6:
      return as_message<registry::wire::Ask>(bytes);
    default:
      return as_message<wave::wire::Notice>(bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
  const unsigned which = data[0] & 7;
  switch (data[0] >> 3 & 3) {
    case 0:
      as_records(rest);
      break;
    case 1:
      as_participation(rest);
      break;
    case 2:
      as_entity(which, rest);
      break;
    default:
      as_other_row(which, rest);
  }
  return 0;
}
