#include "load-tests/replay/officer.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>

#include "actors/programme/hex.hpp"
#include "actors/programme/sha256.hpp"
#include "actors/programme/time.hpp"
#include "net/command/http_call.hpp"

namespace gelombang::load::replay {
namespace {

namespace json = boost::json;
using steady_clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds between_tries{100};

digest lot(std::string_view purpose, std::uint64_t seed, std::uint32_t wave) {
  return sha256(fmt::format("gelombang replay/{}/{}/{}", purpose, seed, wave));
}

bool has_reached(std::string_view now, std::string_view wanted) {
  constexpr std::array<std::string_view, 4> order{"closed", "committed", "drawn", "announced"};
  const auto place = [&](std::string_view one) {
    return std::find(order.begin(), order.end(), one) - order.begin();
  };
  return place(now) >= place(wanted) && place(now) < std::ssize(order);
}

std::size_t write_to_file(char* data, std::size_t size, std::size_t count, void* file) {
  return std::fwrite(data, size, count, static_cast<std::FILE*>(file));
}

/// @returns why it failed; empty when it did not.
std::string fetch(const std::string& url, const std::filesystem::path& file) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out{std::fopen(file.c_str(), "wb"),
                                                            &std::fclose};
  if (!out) return fmt::format("{}: {}", file.string(), std::strerror(errno));
  const std::unique_ptr<CURL, void (*)(CURL*)> handle{::curl_easy_init(), &::curl_easy_cleanup};
  ::curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  ::curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(handle.get(), CURLOPT_FAILONERROR, 1L);
  ::curl_easy_setopt(handle.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);
  ::curl_easy_setopt(handle.get(), CURLOPT_LOW_SPEED_TIME, 60L);
  ::curl_easy_setopt(handle.get(), CURLOPT_BUFFERSIZE, 256L * 1024);
  ::curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &write_to_file);
  ::curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, out.get());
  const auto outcome = ::curl_easy_perform(handle.get());
  if (outcome != CURLE_OK) return ::curl_easy_strerror(outcome);
  return std::fflush(out.get()) == 0 ? std::string{} : std::strerror(errno);
}

}  // namespace

/// Tries again while the node is away or has no room. @returns the body of an answer of success.
officer::told<std::string> officer::ask(const std::string& path, const std::string& token,
                                        const std::optional<std::string>& body) {
  const auto until = steady_clock::now() + with_.patience;
  for (;;) {
    const auto got = command::send({.url = with_.url, .token = token, .path = path, .body = body});
    if (got.status >= 200 && got.status <= 299) return got.body;
    const bool may_pass = got.status == 0 || got.status == 503 || got.status == 504;
    const auto why = got.status == 0 ? got.failure : command::text_of_problem(got);
    if (!may_pass || steady_clock::now() > until || with_.is_stopped())
      return tl::unexpected(fmt::format("{}: {}", path, why));
    std::this_thread::sleep_for(between_tries);
  }
}

officer::told<std::string> officer::read_text(const std::string& path, const std::string& token) {
  return ask(path, token, std::nullopt);
}

officer::told<json::value> officer::read(const std::string& path, bool as_operator) {
  const auto text = ask(path, as_operator ? with_.token : std::string{}, std::nullopt);
  if (!text) return tl::unexpected(text.error());
  boost::system::error_code fault;
  auto parsed = json::parse(*text, fault);
  if (fault) return tl::unexpected(fmt::format("{}: the answer is no JSON", path));
  return parsed;
}

officer::told<void> officer::download(const std::string& path, const std::filesystem::path& file) {
  const auto until = steady_clock::now() + with_.patience;
  for (;;) {
    const auto why = fetch(with_.url + path, file);
    if (why.empty()) return {};
    if (steady_clock::now() > until || with_.is_stopped())
      return tl::unexpected(fmt::format("{}: {}", path, why));
    std::this_thread::sleep_for(between_tries);
  }
}

officer::told<void> officer::put_clock_to(instant when) {
  const auto body = fmt::format(R"({{"not_before":"{}"}})", format_time(when));
  const auto put = ask("/v1/operator/clock", with_.token, body);
  if (!put) return tl::unexpected(put.error());
  return {};
}

officer::told<bool> officer::exists(std::uint32_t wave) {
  const auto path = fmt::format("/v1/waves/{}", wave);
  const auto got =
      command::send({.url = with_.url, .token = {}, .path = path, .body = std::nullopt});
  if (got.status == 404) return false;
  if (auto there = ask(path, {}, std::nullopt); !there) return tl::unexpected(there.error());
  return true;
}

officer::told<std::string> officer::state_of(std::uint32_t wave) {
  const auto path = fmt::format("/v1/waves/{}", wave);
  const auto wave_now = read(path);
  if (!wave_now) return tl::unexpected(wave_now.error());
  const auto* state = wave_now->is_object() ? wave_now->as_object().if_contains("state") : nullptr;
  if (!state || !state->is_string())
    return tl::unexpected(fmt::format("{}: the answer has no state", path));
  return std::string{state->as_string()};
}

officer::told<void> officer::wait_for(std::uint32_t wave, std::string_view state) {
  const auto until = steady_clock::now() + with_.patience;
  for (;;) {
    const auto now = state_of(wave);
    if (!now) return tl::unexpected(now.error());
    if (*now == state) return {};
    if (steady_clock::now() > until || with_.is_stopped())
      return tl::unexpected(fmt::format("wave {} is {}, not {}", wave, *now, state));
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
}

/// Until the wave is where the order leads. A repeat, and one that comes before the wave is ready
/// for it, is refused, and changes nothing.
officer::told<void> officer::carry_out(std::uint32_t wave, const order_to_give& what) {
  const auto path = fmt::format("/v1/operator/waves/{}/{}", wave, what.name);
  const auto until = steady_clock::now() + with_.patience;
  for (;;) {
    const auto now = state_of(wave);
    if (!now) return tl::unexpected(now.error());
    if (has_reached(*now, what.leads_to)) return {};
    const auto done = ask(path, with_.token, what.body);
    if (done) return wait_for(wave, what.leads_to);
    if (steady_clock::now() > until || with_.is_stopped()) return tl::unexpected(done.error());
    std::this_thread::sleep_for(between_tries);
  }
}

officer::told<void> officer::open(const step& wave, const plan& all) {
  if (auto put = put_clock_to(wave.at); !put) return put;
  const auto is_there = exists(wave.wave);
  if (!is_there) return tl::unexpected(is_there.error());
  if (!*is_there) {
    const auto body = fmt::format(
        R"({{"scheme":"{}","opens_at":"{}","closes_at":"{}","quota":{},"minimum_per_region":{},)"
        R"("groups":[{{"name":"disability","share_permille":50}},)"
        R"({{"name":"returned_migrant","share_permille":50}}]}})",
        all.scheme, format_time(wave.opens), format_time(wave.closes), wave.places,
        std::min(all.minimum_per_region, wave.places));
    const auto made = ask("/v1/operator/waves", with_.token, body);
    if (!made) return tl::unexpected(made.error());
    if (json::parse(*made).at("number").to_number<std::uint32_t>() != wave.wave)
      return tl::unexpected(
          fmt::format("a wave that is not {} was made: others are there", wave.wave));
  }
  if (auto put = put_clock_to(wave.opens); !put) return put;
  // Everybody sees it as open by its clock, some milliseconds before it notes that it is. At a
  // small scale a wave may be over by then, and one that has never noted it counts as missed. An
  // order is answered when it is noted everywhere; refused, when that is so already.
  ask(fmt::format("/v1/operator/waves/{}/open", wave.wave), with_.token, "{}");
  return wait_for(wave.wave, "open");
}

officer::told<double> officer::close(const step& wave) {
  if (auto put = put_clock_to(wave.at); !put) return tl::unexpected(put.error());
  const auto secret = lot("secret", with_.seed, wave.wave);
  const auto begun = steady_clock::now();
  const order_to_give orders[] = {
      {"commit", "committed",
       fmt::format(R"({{"beacon_source":"replay","beacon_round":{},"operator_secret_hash":"{}"}})",
                   wave.wave, to_hex(sha256(secret)))},
      {"draw", "drawn",
       fmt::format(R"({{"beacon_value":"{}","operator_secret":"{}"}})",
                   to_hex(lot("beacon", with_.seed, wave.wave)), to_hex(secret))},
      {"announce", "announced", "{}"}};
  for (const auto& each : orders)
    if (auto carried = carry_out(wave.wave, each); !carried) return tl::unexpected(carried.error());
  return std::chrono::duration<double>(steady_clock::now() - begun).count();
}

}  // namespace gelombang::load::replay
