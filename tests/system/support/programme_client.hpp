#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "actors/seed/people.hpp"
#include "tests/system/support/http_client.hpp"

namespace gelombang::system_testing {

struct request {
  std::string method;
  std::string target;
  std::string token = {};  ///< none if empty
  std::string key = {};    ///< Idempotency-Key; none if empty
  std::string body = {};
};

/// What came of a request.
struct answer {
  int status = 0;  ///< 0: nothing came, or not all of it
  std::map<std::string, std::string> headers;
  std::string body;

  bool came() const { return status != 0; }
  /// Whether it tells for certain what the request has done: neither silence nor a 5xx does.
  bool is_certain() const { return status != 0 && status < 500; }
  boost::json::value json() const;
  /// A member that is a text; empty if it is not there. Dots go down.
  std::string text(std::string_view path) const;
  std::optional<std::int64_t> number(std::string_view name) const;
  /// The name in `/problems/NAME`.
  std::string problem() const;
  /// For messages: status and body.
  std::string told() const { return std::to_string(status) + " " + body; }
};

/// The programme as a client sees it. For one thread.
class programme_client {
public:
  explicit programme_client(std::uint16_t port, std::uint16_t source = 1) : http_(port, source) {}

  answer call(const request& what);
  answer get(const std::string& target, const std::string& token = {}) {
    return call({"GET", target, token});
  }
  answer post(const std::string& target, const std::string& token, const std::string& body = "{}") {
    return call({"POST", target, token, {}, body});
  }

private:
  http_client http_;
};

// Requests, as bodies and targets have them.
request enter_email(const std::string& email);
request verify_email(const std::string& email, const std::string& code, const std::string& password,
                     const std::string& key = {});
request sign_in(const std::string& email, const std::string& password);
request submit_identity(const std::string& token, const seed::person& papers);
request set_profile(const std::string& token, const seed::person& papers);
request take_assessment(const std::string& token);
request join_wave(const std::string& token, unsigned wave, const std::string& key = {});
request withdraw_from_wave(const std::string& token, unsigned wave, const std::string& key = {});

// An operator's.
request create_wave(const std::string& token, unsigned quota);
request order_wave(const std::string& token, unsigned wave, const std::string& what);

/// The letters that a node has written into its directory. Thread-safe.
class mailbox {
public:
  explicit mailbox(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// The code of the latest letter to an address that is there.
  std::optional<std::string> code_for(const std::string& address);

  /// Waits for it.
  std::optional<std::string> wait_for_code(const std::string& address,
                                           std::chrono::milliseconds within);

private:
  void read_new_letters();

  std::filesystem::path directory_;
  std::mutex mutex_;
  std::set<std::string> read_;                ///< names of files
  std::map<std::string, std::string> codes_;  ///< by address
};

}  // namespace gelombang::system_testing
