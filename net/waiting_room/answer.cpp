#include "net/waiting_room/answer.hpp"

#include <algorithm>
#include <charconv>

#include "net/exchange.hpp"
#include "net/json_writer.hpp"
#include "net/waiting_room/texts.hpp"

namespace gelombang::net {
namespace {

/// SplitMix64's last step.
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
  value = (value ^ value >> 27) * 0x94d049bb133111ebu;
  return value ^ value >> 31;
}

/// FNV-1a. Needs no secret: a ticket is signed, and who chooses a name that has another's hash must
/// still have his ticket.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (auto one : text) hash = (hash ^ static_cast<unsigned char>(one)) * 0x100000001b3u;
  return hash;
}

enum class subject_kind : std::uint64_t { account = 1, device, address };

std::uint64_t subject(subject_kind kind, std::uint64_t value) {
  return mixed(mixed(value) + static_cast<std::uint64_t>(kind));
}

bool is_device_id(std::string_view text) {
  const auto is_visible = [](char one) { return one > ' ' && one < 127; };
  return text.size() >= device_id_bytes_min && text.size() <= device_id_bytes_max &&
         std::all_of(text.begin(), text.end(), is_visible);
}

}  // namespace

std::optional<std::uint64_t> device_of(const exchange& x) {
  const auto device = x.header(device_header);
  if (!is_device_id(device) || x.headers_named(device_header) != 1) return std::nullopt;
  return hash_of(device);
}

std::uint64_t subject_of(const exchange& x) {
  const auto* route = x.matched();
  if (route != nullptr && route->who != access::anyone) {
    return subject(subject_kind::account, x.bearer().subject.value);
  }
  if (const auto device = device_of(x)) return subject(subject_kind::device, *device);
  return subject(subject_kind::address, x.peer().hash());
}

void append_waiting(std::string& to, const waiting& told, language speech) {
  const auto& form = waiting_form;
  json_writer json{to};
  json.begin_object();
  json.member("type", "/problems/waiting");
  json.member("title", form.title.in(speech));
  json.member("status", form.status);
  json.member("detail", form.detail.in(speech));
  json.member("ticket", std::string_view{told.ticket.data(), told.ticket.size()});
  json.member("ticket_header", ticket_header);
  json.member("place", told.place).member("ahead", told.ahead);
  json.member("expected_at", std::chrono::floor<std::chrono::seconds>(told.expected_at));
  json.end_object();
}

void tell_to_wait(exchange& x, const waiting& told) {
  // Kept for the next one: many are told at once.
  thread_local std::string body;
  body.clear();
  append_waiting(body, told, x.speech());
  char digits[12];
  const auto* end = std::to_chars(digits, digits + sizeof digits, told.retry_after_seconds).ptr;
  x.add_header("Content-Language", tag_of(x.speech()));
  x.add_header("Retry-After", {digits, static_cast<std::size_t>(end - digits)});
  x.reply(waiting_form.status, "application/problem+json", body);
}

}  // namespace gelombang::net
