#include "tests/system/support/programme_client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sstream>

#include "actors/programme/format.hpp"
#include "actors/programme/time.hpp"
#include "tests/system/support/process.hpp"

namespace gelombang::system_testing {
namespace {

namespace fs = std::filesystem;
using boost::json::object;
using boost::json::serialize;

/// "our secret", the operator's of every wave that the tests draw, and its SHA-256.
constexpr const char* secret_hex = "6f757220736563726574";
constexpr const char* secret_hash =
    "58c4012db95a42aff813f940e55d2d082daf56d476bc7077e886de21a79f8fcf";

std::string wave_path(unsigned wave) {
  return "/v1/waves/" + std::to_string(wave) + "/join";
}

const boost::json::value* member(const boost::json::value& in, std::string_view path) {
  const auto* at = &in;
  while (!path.empty()) {
    const auto dot = path.find('.');
    if (!at->is_object()) return nullptr;
    at = at->as_object().if_contains(path.substr(0, dot));
    if (!at || dot == std::string_view::npos) return at;
    path.remove_prefix(dot + 1);
  }
  return at;
}

}  // namespace

boost::json::value answer::json() const {
  boost::system::error_code wrong;
  auto value = boost::json::parse(body, wrong);
  return wrong ? boost::json::value{} : value;
}

std::string answer::text(std::string_view path) const {
  const auto all = json();
  const auto* found = member(all, path);
  return found && found->is_string() ? std::string{found->as_string().c_str()} : std::string{};
}

std::optional<std::int64_t> answer::number(std::string_view name) const {
  const auto all = json();
  const auto* found = member(all, name);
  if (!found || !found->is_number()) return std::nullopt;
  return found->to_number<std::int64_t>();
}

std::string answer::problem() const {
  const auto type = text("type");
  const auto slash = type.rfind('/');
  return slash == std::string::npos ? type : type.substr(slash + 1);
}

answer programme_client::call(const request& what) {
  std::vector<std::string> headers{"Accept-Language: en"};
  if (!what.token.empty()) headers.push_back("Authorization: Bearer " + what.token);
  if (!what.key.empty()) headers.push_back("Idempotency-Key: " + what.key);
  if (!what.body.empty()) headers.emplace_back("Content-Type: application/json");
  auto came = http_.send(what.method, what.target, headers, what.body);
  if (!came) return {};
  return {came->status, std::move(came->headers), std::move(came->body)};
}

request enter_email(const std::string& email) {
  return {"POST", "/v1/accounts", {}, {}, serialize(object{{"email", email}})};
}

request verify_email(const std::string& email, const std::string& code, const std::string& password,
                     const std::string& key) {
  return {"POST",
          "/v1/accounts/verify",
          {},
          key,
          serialize(object{{"email", email}, {"code", code}, {"password", password}})};
}

request sign_in(const std::string& email, const std::string& password) {
  return {
      "POST", "/v1/sessions", {}, {}, serialize(object{{"email", email}, {"password", password}})};
}

request submit_identity(const std::string& token, const seed::person& papers) {
  return {"PUT",
          "/v1/me/identity",
          token,
          {},
          serialize(object{{"nik", std::string{papers.nik.digits()}},
                           {"kk", std::string{papers.kk.digits()}},
                           {"full_name", papers.full_name},
                           {"birth_date", format_date(papers.birth_date)},
                           {"region", fmt::format("{:04}", papers.region.value)}})};
}

request set_profile(const std::string& token, const seed::person& papers) {
  return {"PUT",
          "/v1/me/profile",
          token,
          {},
          serialize(object{{"phone", papers.phone},
                           {"education", std::string{papers.education}},
                           {"employment", std::string{papers.employment}},
                           {"disability", papers.disability},
                           {"returned_migrant", papers.returned_migrant}})};
}

request take_assessment(const std::string& token) {
  const object answers{{"why_now", "find_work"}, {"hours", "more"},     {"plan", "apply"},
                       {"setback", "again"},     {"reading", "sunday"}, {"sums", "8000"},
                       {"percent", "170000"},    {"order", "32"},       {"digital", "refuse"}};
  return {"POST", "/v1/me/assessment", token, {}, serialize(object{{"answers", answers}})};
}

request join_wave(const std::string& token, unsigned wave, const std::string& key) {
  return {"POST", wave_path(wave), token, key};
}

request withdraw_from_wave(const std::string& token, unsigned wave, const std::string& key) {
  return {"DELETE", wave_path(wave), token, key};
}

request create_wave(const std::string& token, unsigned quota) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const boost::json::array groups{object{{"name", "disability"}, {"share_permille", 100}}};
  return {"POST",
          "/v1/operator/waves",
          token,
          {},
          serialize(object{{"scheme", "normal-2023"},
                           {"opens_at", format_time(now)},
                           {"closes_at", format_time(now + std::chrono::hours{48})},
                           {"quota", quota},
                           {"minimum_per_region", 0},
                           {"groups", groups}})};
}

request order_wave(const std::string& token, unsigned wave, const std::string& what) {
  object body;
  if (what == "commit")
    body = {{"beacon_source", "dice"}, {"beacon_round", 1}, {"operator_secret_hash", secret_hash}};
  if (what == "draw") body = {{"beacon_value", "03160254"}, {"operator_secret", secret_hex}};
  return {"POST", fmt::format("/v1/operator/waves/{}/{}", wave, what), token, {}, serialize(body)};
}

void mailbox::read_new_letters() {
  std::set<std::string> fresh;
  std::error_code none;
  for (fs::directory_iterator at{directory_, none}, end; !none && at != end; at.increment(none))
    if (at->path().extension() == ".eml" && !read_.contains(at->path().filename()))
      fresh.insert(at->path().filename());
  // Names begin with the time of writing, so that the last code stays.
  for (const auto& name : fresh) {
    read_.insert(name);
    std::string to;
    std::istringstream letter{content_of(directory_ / name)};
    for (std::string line; std::getline(letter, line);) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (to.empty() && line.rfind("To: ", 0) == 0) to = line.substr(4);
      const bool is_code =
          line.size() == 6 && line.find_first_not_of("0123456789") == std::string::npos;
      if (is_code) codes_[to] = line;
    }
  }
}

std::optional<std::string> mailbox::code_for(const std::string& address) {
  std::lock_guard lock{mutex_};
  if (!codes_.contains(address)) read_new_letters();
  const auto known = codes_.find(address);
  if (known == codes_.end()) return std::nullopt;
  return known->second;
}

std::optional<std::string> mailbox::wait_for_code(const std::string& address,
                                                  std::chrono::milliseconds within) {
  const auto until = std::chrono::steady_clock::now() + within;
  fs::create_directories(directory_);
  const int news = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  // Watched before it is looked at: no letter slips in between.
  ::inotify_add_watch(news, directory_.c_str(), IN_MOVED_TO);
  std::optional<std::string> code;
  while (!(code = code_for(address)) && std::chrono::steady_clock::now() < until) {
    constexpr int look_up_milliseconds = 1000;
    pollfd waiting{news, POLLIN, 0};
    if (::poll(&waiting, 1, look_up_milliseconds) > 0) {
      char events[4096];
      while (::read(news, events, sizeof events) > 0) {
      }
    }
  }
  ::close(news);
  return code;
}

}  // namespace gelombang::system_testing
