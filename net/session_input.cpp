// From bytes to a request that may be answered: the parsing half of session.hpp.
#include <algorithm>
#include <cstring>

#include "net/caller_limits.hpp"
#include "net/io_thread.hpp"
#include "net/session.hpp"
#include "net/waiting_room/answer.hpp"

namespace gelombang::net {
namespace {

errc reason_of(const boost::beast::error_code& error) {
  if (error == http::error::header_limit) return errc::headers_too_large;
  if (error == http::error::body_limit) return errc::body_too_large;
  return errc::request_malformed;
}

/// Lines end with CRLF here. Beast waits for one; whoever takes LF for an end has seen more lines
/// than it by now, so waiting on is of no use.
bool has_bare_line_feed(std::string_view text) {
  for (auto at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    if (at > 0 && text[at - 1] != '\r') return true;
  }
  return false;
}

turned_away kind_of(errc why) {
  auto too_large = why == errc::headers_too_large || why == errc::body_too_large;
  return too_large ? turned_away::too_large : turned_away::malformed;
}

std::optional<role> role_for(access who) {
  switch (who) {
    case access::anyone:
    case access::signed_in:
      return std::nullopt;
    case access::applicant:
      return role::applicant;
    case access::operator_:
      return role::operator_;
    case access::partner:
      return role::partner;
    case access::office:
      return role::office;
  }
  return std::nullopt;
}

/// The token of an Authorization header of the Bearer scheme, whose name has no case.
std::optional<std::string_view> bearer_token(std::string_view header) {
  constexpr std::string_view scheme = "bearer ";
  if (header.size() <= scheme.size()) return std::nullopt;
  auto same = std::equal(scheme.begin(), scheme.end(), header.begin(),
                         [](char ours, char theirs) { return ours == (theirs | 0x20); });
  if (!same) return std::nullopt;
  return header.substr(scheme.size());
}

}  // namespace

void session::begin_request() {
  auto& work = *work_;
  work.parser.emplace(work.x.fields_, work.chunked_body, thread_.bounds());
  work.parsed = work.header_bytes = work.request_bytes = 0;
  work.rejection.reset();
  work.told_to_wait.reset();
  work.turn.reset();
  work.is_options = false;
  continued_ = false;

  auto& x = work.x;
  x.thread_ = &thread_;
  x.session_ = this;
  x.out_ = &work.output;
  x.peer_ = peer_;
  x.begin_ = work.input.begin();
  x.method_ = http::verb::unknown;
  x.is_http_1_0_ = false;
  x.target_ = {};
  x.match_ = {};
  x.body_ = {};
  x.bearer_ = {};
  x.extra_headers_.clear();
  x.cache_control_ = "no-store";
  x.status_ = 0;
  x.keep_alive_ = true;
  x.streaming_ = false;
}

session::step session::advance() {
  if (work_->header_bytes == 0) {
    auto after = parse_header();
    if (after != step::ready) return after;
  }
  return collect_body();
}

session::step session::parse_header() {
  auto& work = *work_;
  auto& input = work.input;
  // Empty lines before a request are let pass (RFC 9112, 2.2).
  while (work.parsed == 0 && input.size() >= 2 && std::memcmp(input.begin(), "\r\n", 2) == 0) {
    input.drop_front(2);
  }
  auto starts_with_cr = work.parsed == 0 && input.size() == 1 && *input.begin() == '\r';
  if (starts_with_cr || input.size() == work.parsed) return step::need_more;
  work.x.begin_ = input.begin();
  work.parser->at(input.begin(), input.end());
  boost::beast::error_code error;
  while (!error && !work.parser->is_header_done()) {
    work.parsed += work.parser->put(
        asio::const_buffer(input.begin() + work.parsed, input.size() - work.parsed), error);
  }
  auto needs_more = error == http::error::need_more;
  auto bytes = needs_more ? input.size() : work.parsed;
  auto too_many = work.parser->too_many_fields() || bytes > thread_.bounds().header_bytes_max;
  if (too_many) return broken(errc::headers_too_large);
  if (needs_more) {
    std::string_view waiting{input.begin() + work.parsed, input.size() - work.parsed};
    return has_bare_line_feed(waiting) ? broken(errc::request_malformed) : step::need_more;
  }
  if (error) return broken(reason_of(error));
  work.header_bytes = work.parsed;
  return admit();
}

session::step session::admit() {
  auto& work = *work_;
  auto& x = work.x;
  auto& parser = *work.parser;
  x.method_ = parser.method();
  x.is_http_1_0_ = !parser.is_http_1_1();
  x.keep_alive_ = parser.keep_alive();
  auto target = parse_target({x.begin_ + parser.target_at(), parser.target_bytes()});
  if (!target) return broken(errc::request_malformed);
  x.target_ = *target;
  work.is_options = x.method_ == http::verb::options;
  if (target->path == "*") {
    if (!work.is_options) return broken(errc::request_malformed);
    x.match_.allowed = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  } else {
    x.match_ = thread_.routes().match(x.method_, target->path, x.decoded_path_);
  }
  if (x.match_.failure == errc::request_malformed) return broken(errc::request_malformed);
  auto limit = x.match_.found == nullptr ? 0 : x.match_.found->body_bytes_max;
  if (limit == 0) limit = thread_.bounds().body_bytes_max;
  if (parser.announced_bytes() > limit) return broken(errc::body_too_large);
  parser.body_limit(limit);
  authorise();
  ask_limits();
  if (!work.rejection && x.match_.found != nullptr) ask_admission();
  return step::ready;
}

void session::authorise() {
  auto& work = *work_;
  auto& x = work.x;
  if (work.is_options && !x.match_.allowed.empty()) return;
  if (x.match_.found == nullptr) {
    count(turned_away::not_routed);
    work.rejection.emplace(x.match_.failure);
    return;
  }
  auto who = x.match_.found->who;
  if (who == access::anyone) return;
  auto token = bearer_token(x.header(http::field::authorization));
  auto verified = !token || thread_.tokens() == nullptr
                      ? result<claims>{refuse(errc::token_missing)}
                      : thread_.tokens()->verify(*token, thread_.now());
  auto wanted = role_for(who);
  if (verified && wanted && !verified->held.has(*wanted)) verified = refuse(errc::forbidden);
  if (verified) {
    x.bearer_ = *verified;
    return;
  }
  count(turned_away::not_authorised);
  work.rejection.emplace(verified.error());
}

/// Whoever asks more often than a person has to is told so, also by a node that has nothing else to
/// do, and also when he would be refused for another reason: guessing tokens is asking.
void session::ask_limits() {
  auto* const limits = thread_.callers();
  if (limits == nullptr || lane_ == lane::house) return;
  auto& work = *work_;
  auto& x = work.x;
  const auto* const route = x.match_.found;
  const auto is_known = route != nullptr && route->who != access::anyone && !work.rejection;
  if (is_known && x.bearer_.held.has(role::operator_)) return;
  const auto is_probe = route != nullptr && route->who == access::anyone;
  if (is_probe && route->when_busy == urgency::house) return;

  caller who{.account = {}, .clicks = false, .device = device_of(x), .from = peer_};
  if (is_known) {
    const auto only_looks = x.method_ == http::verb::get || x.method_ == http::verb::head;
    who.account = x.bearer_.subject.value;
    who.clicks = route->when_busy == urgency::joining && !only_looks;
  }
  auto& metrics = thread_.metrics();
  const auto over = limits->take(who, metrics.limits_forgotten);
  if (!over) return;
  metrics.over_limit[static_cast<std::size_t>(over->kind)].add();
  count(turned_away::over_limit);
  auto& told = work.rejection.emplace(errc::too_many_requests);
  told.retry_after = retry_after_seconds(*over, thread_.dice());
}

void session::ask_admission() {
  if (lane_ == lane::house) return;
  auto& x = work_->x;
  auto& door = thread_.door();
  const auto what = x.match_.found->when_busy;
  asker who{.account = {}, .address = peer_.hash()};
  if (x.match_.found->who != access::anyone) who.account = x.bearer_.subject.value;
  const auto said = door.decide(who, what, thread_.dice());
  if (said == admission::verdict::over_share) return turn_away(errc::too_many_requests);
  auto* room = thread_.room();
  const auto may_wait = room != nullptr && (what == urgency::joining || what == urgency::entering);
  if (may_wait) return ask_room(*room, said);
  if (said == admission::verdict::refuse) turn_away(errc::overloaded);
}

/// Who has waited comes before whoever comes now; and who would be refused may wait.
void session::ask_room(waiting_room& room, admission::verdict said) {
  const auto is_refused = said == admission::verdict::refuse;
  if (!is_refused && !room.is_open()) return;
  auto& work = *work_;
  const auto ticket = work.x.header(ticket_header);
  // To be told to wait would cost what there is no credit for; and where nothing stands, there is
  // room for whoever was called and for others.
  const auto has_room = said == admission::verdict::serve_late ||
                        (said == admission::verdict::serve && thread_.door().pressure() == 0);
  if (has_room && ticket.empty() && !room.is_set()) return;
  const auto newcomers = is_refused ? node_room::none : node_room::spare;
  auto answer = room.arrive({subject_of(work.x), ticket, newcomers}, thread_.now());
  switch (answer.what) {
    case verdict::kind::admit:
      return;
    case verdict::kind::admit_in_turn:
      work.turn = answer;
      return;
    case verdict::kind::wait:
      work.told_to_wait = answer.told;
      return turn_away(errc::waiting);
    case verdict::kind::refuse:
      return turn_away(errc::overloaded);
  }
}

void session::turn_away(errc why) {
  count(why == errc::too_many_requests ? turned_away::over_share : turned_away::overload);
  work_->rejection.emplace(why);
  if (thread_.door().ends_connections()) work_->x.keep_alive_ = false;
}

session::step session::collect_body() {
  auto& work = *work_;
  auto& input = work.input;
  if (work.parser->chunked()) return collect_chunks();
  auto length = static_cast<std::size_t>(work.parser->announced_bytes());
  work.request_bytes = work.header_bytes + length;
  if (input.size() < work.request_bytes) return step::need_more;
  work.x.body_ = {input.begin() + work.header_bytes, length};
  return step::ready;
}

session::step session::collect_chunks() {
  auto& work = *work_;
  auto& input = work.input;
  auto& parser = *work.parser;
  boost::beast::error_code error;
  while (!error && !parser.is_done() && work.parsed < input.size()) {
    parser.at(input.begin(), input.end());
    work.parsed += parser.put(
        asio::const_buffer(input.begin() + work.parsed, input.size() - work.parsed), error);
  }
  if (parser.too_many_fields()) return broken(errc::headers_too_large);
  if (error && error != http::error::need_more) return broken(reason_of(error));
  // The chunks have been copied; the headers stay, for the handler looks at them.
  input.cut_out(work.header_bytes, work.parsed - work.header_bytes);
  work.parsed = work.header_bytes;
  if (!parser.is_done()) {
    // Data is copied as it comes, so what waits is a chunk's head or the trailers.
    std::string_view waiting{input.begin() + work.parsed, input.size() - work.parsed};
    auto too_large = waiting.size() > thread_.bounds().header_bytes_max;
    if (too_large) return broken(errc::headers_too_large);
    return has_bare_line_feed(waiting) ? broken(errc::request_malformed) : step::need_more;
  }
  work.request_bytes = work.header_bytes;
  auto length = work.chunked_body.size();
  work.chunked_body.append(json_padding_bytes, '\0');
  work.x.body_ = std::string_view{work.chunked_body}.substr(0, length);
  return step::ready;
}

session::step session::broken(errc why) {
  auto& x = work_->x;
  if (why != errc::request_too_slow) count(kind_of(why));
  x.begin_ = work_->input.begin();
  x.keep_alive_ = false;
  x.refuse(why);
  finish_answer();
  must_linger_ = true;
  return step::broken;
}

}  // namespace gelombang::net
