#include "load-tests/engine/audit.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <thread>

#include "load-tests/engine/acts.hpp"
#include "load-tests/engine/address.hpp"
#include "load-tests/engine/connection.hpp"
#include "load-tests/engine/detached.hpp"
#include "load-tests/engine/expectation.hpp"
#include "load-tests/engine/reactor.hpp"
#include "net/command/http_call.hpp"
#include "net/tokens.hpp"

namespace gelombang::load {
namespace {

using kind = logged_operation::kind;

/// What is asked about at once: one person in one wave, or one account.
using subject = std::span<const logged_operation>;

/// What the server says about a subject.
struct said {
  bool is_there = false;
  std::string proof;
};

/// The receipt in an own status: its entry id, or that there is none.
std::optional<said> receipt_in(std::string_view json) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element document, receipt;
  if (parser.parse(json.data(), json.size()).get(document) != simdjson::SUCCESS)
    return std::nullopt;
  if (document["receipt"].get(receipt) != simdjson::SUCCESS) return std::nullopt;
  if (receipt.is_null()) return said{};
  std::string_view entry;
  if (receipt["entry_id"].get(entry) != simdjson::SUCCESS) return std::nullopt;
  return said{true, std::string{entry}};
}

class checker {
public:
  checker(const audit_settings& how, const people& who, const logged_operations& operations,
          const node_address& target, audit_report& report)
      : how_(how), who_(who), operations_(operations), target_(target), report_(report) {
    if (who.keys) minting_.emplace(std::vector{net::token_key{"1", who.keys->access_token_key()}});
  }

  void run() {
    connections_.resize(how_.connections);
    for (auto& one : connections_) {
      one = std::make_unique<connection>(loop_);
      work(*one);
    }
    while (working_ > 0) loop_.turn(loop_.now() + std::chrono::milliseconds{100});
  }

  const std::map<std::uint16_t, std::uint64_t>& found_by_wave() const { return found_; }

private:
  /// One connection: asks about subject after subject.
  detached work(connection& with) {
    ++working_;
    while (const auto next = take()) {
      const auto& first = next->front();
      const bool is_account = first.wave == 0;
      const auto path =
          is_account ? std::string{"/v1/me"} : "/v1/me/waves/" + operations_.waves[first.wave];
      const auto token = token_of(first.person);
      std::optional<said> told;
      for (int tries = 0; tries < tries_max && !told; ++tries) {
        if (tries != 0) co_await loop_.until(loop_.now() + std::chrono::milliseconds{200 << tries});
        if (!with.is_open() && !with.open(target_.where, 0)) continue;
        write_request(with.request(), target_.host,
                      {.method = "GET",
                       .path = path,
                       .token = token,
                       .idempotency_key = {},
                       .if_none_match = {},
                       .body = {}});
        if (co_await with.exchange(with.request()) != loss::none) continue;
        const auto& answer = with.found();
        if (answer.status == 200)
          told = is_account ? said{true, member_of(answer.body, "account_id")}
                            : receipt_in(answer.body);
        // No account answers to this token.
        if (is_account && (answer.status == 401 || answer.status == 404)) told = said{};
        if (answer.closes) with.close();
      }
      compare(*next, told);
    }
    --working_;
  }

  std::optional<subject> take() {
    const auto& all = operations_.all;
    if (at_ == all.size()) return std::nullopt;
    const auto first = at_;
    while (at_ < all.size() && all[at_].wave == all[first].wave &&
           all[at_].person == all[first].person)
      ++at_;
    return subject{all}.subspan(first, at_ - first);
  }

  void compare(subject of, const std::optional<said>& told) {
    const auto expected = expected_after(of);
    ++report_.checked;
    if (!told) return wrong(report_.unanswered, of, "the server gave no usable answer");
    if (told->is_there) ++found_[of.front().wave];
    if (expected.proofs_differ) wrong(report_.twice, of, "acknowledged with two different proofs");
    if (expected.must_be_there && !told->is_there)
      wrong(report_.lost, of, "acknowledged, and not there");
    // An account may be older than the log.
    const bool is_account = of.front().wave == 0;
    if (told->is_there && !expected.may_be_there && !is_account)
      wrong(report_.invented, of, "there, though it was not asked for or was undone");
    if (told->is_there && !expected.proof.empty() && told->proof != expected.proof)
      wrong(report_.twice, of,
            fmt::format("acknowledged as {}, there as {}", expected.proof, told->proof));
  }

  void wrong(std::uint64_t& count, subject of, std::string_view why) {
    ++count;
    if (report_.examples.size() >= audit_examples_max) return;
    const auto& first = of.front();
    report_.examples.push_back(first.wave == 0
                                   ? fmt::format("account of person {}: {}", first.person, why)
                                   : fmt::format("person {} in wave {}: {}", first.person,
                                                 operations_.waves[first.wave], why));
  }

  std::string token_of(std::uint64_t person) const {
    if (who_.tokens && person <= who_.tokens->count()) return std::string{who_.tokens->of(person)};
    if (!minting_) return {};
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    return minting_->mint({.subject = who_.keys->account_of(seed::email_of(person)),
                           .session = 1,
                           .held = net::role::applicant,
                           .issued_at = now,
                           .expires_at = now + 3600});
  }

  static constexpr int tries_max = 6;

  const audit_settings& how_;
  const people& who_;
  const logged_operations& operations_;
  const node_address& target_;
  audit_report& report_;
  reactor loop_;
  std::vector<std::unique_ptr<connection>> connections_;
  std::optional<net::access_tokens> minting_;
  std::size_t at_ = 0;
  unsigned working_ = 0;
  std::map<std::uint16_t, std::uint64_t> found_;
};

tl::expected<void, std::string> read_log(const std::filesystem::path& file,
                                         logged_operations& into) {
  std::ifstream in{file, std::ios::binary};
  if (!in) return tl::unexpected(fmt::format("{}: {}", file.string(), std::strerror(errno)));
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (auto added = into.add(text); !added)
    return tl::unexpected(fmt::format("{}: {}", file.string(), added.error()));
  return {};
}

/// How many the server says have joined a wave.
tl::expected<std::uint64_t, std::string> joined_in(const std::string& url,
                                                   const std::string& wave) {
  const auto told = command::send({.url = url,
                                   .token = {},
                                   .path = "/v1/waves/" + wave,
                                   .body = std::nullopt,
                                   .timeout = std::chrono::seconds{10}});
  boost::system::error_code fault;
  const auto parsed = boost::json::parse(told.body, fault);
  const auto* joined =
      !fault && parsed.is_object() ? parsed.get_object().if_contains("joined") : nullptr;
  if (told.status != 200 || !joined || !joined->is_int64())
    return tl::unexpected(fmt::format("/v1/waves/{}: no count of joins: {}", wave,
                                      told.status == 0 ? told.failure : told.body));
  return static_cast<std::uint64_t>(joined->get_int64());
}

/// The server's count may be a few seconds old.
tl::expected<std::uint64_t, std::string> settled_count(const std::string& url,
                                                       const std::string& wave,
                                                       std::uint64_t expected) {
  constexpr int tries_max = 20;
  for (int tries = 1;; ++tries) {
    auto counted = joined_in(url, wave);
    if (!counted || *counted == expected || tries == tries_max) return counted;
    std::this_thread::sleep_for(std::chrono::milliseconds{250});
  }
}

}  // namespace

tl::expected<audit_report, std::string> audit(const audit_settings& how, const people& who) {
  if (!who.tokens && !who.keys)
    return tl::unexpected(std::string{"--tokens or --key-file: people are asked by their tokens"});
  const auto target = address_in(how.url);
  if (!target) return tl::unexpected(target.error());
  logged_operations operations;
  for (const auto& file : how.logs)
    if (auto read = read_log(file, operations); !read) return tl::unexpected(read.error());
  operations.sort();
  audit_report report;
  report.operations = operations.all.size();
  checker all{how, who, operations, *target, report};
  all.run();
  for (std::uint16_t wave = 1; wave < operations.waves.size(); ++wave) {
    const auto known = all.found_by_wave().find(wave);
    const auto found = known == all.found_by_wave().end() ? 0 : known->second;
    const auto counted = settled_count(how.url, operations.waves[wave], found);
    if (!counted) return tl::unexpected(counted.error());
    report.notes.push_back(
        fmt::format("wave {}: the server counts {} joins, {} of the logs' people are in it",
                    operations.waves[wave], *counted, found));
    if (how.others_take_part ? *counted < found : *counted != found) {
      report.invented += *counted > found ? *counted - found : 0;
      report.lost += found > *counted ? found - *counted : 0;
      report.examples.push_back(report.notes.back());
    }
  }
  return report;
}

}  // namespace gelombang::load
