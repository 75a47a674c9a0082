#include "net/mailer/smtp_sender.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace gelombang::mailer {
namespace {

void start_curl_once() {
  static const auto outcome = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (outcome != CURLE_OK) throw std::runtime_error("libcurl cannot start");
}

/// libcurl asks for the message piece by piece.
std::size_t read_message(char* into, std::size_t size, std::size_t count, void* source) {
  auto& rest = *static_cast<std::string_view*>(source);
  const auto taken = std::min(size * count, rest.size());
  std::memcpy(into, rest.data(), taken);
  rest.remove_prefix(taken);
  return taken;
}

struct free_list {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct close_handle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

/// Replies about our own standing with the relay: RFC 4954, 4.7.1 (authentication needed, wrong,
/// too weak).
bool is_about_us(long reply) {
  return reply == 530 || reply == 534 || reply == 535 || reply == 538;
}

/// libcurl reports a refused MAIL, RCPT or DATA as CURLE_SEND_ERROR, and a refused message, after
/// its last byte, as CURLE_WEIRD_SERVER_REPLY (a refused greeting too, but then nothing was sent).
send_fault fault_of(CURLcode outcome, long reply, curl_off_t sent) {
  const bool refused = reply >= 500 && reply < 600 && !is_about_us(reply);
  const bool this_letter =
      outcome == CURLE_SEND_ERROR || (outcome == CURLE_WEIRD_SERVER_REPLY && sent > 0);
  return refused && this_letter ? send_fault::permanent : send_fault::temporary;
}

}  // namespace

class smtp_sender::connection {
public:
  explicit connection(smtp_options options) : options_(std::move(options)) {
    start_curl_once();
    handle_.reset(curl_easy_init());
    if (!handle_) throw std::runtime_error("libcurl gives no handle");
    const bool whole = options_.security == smtp_security::tls;
    const bool upgraded = options_.security == smtp_security::starttls;
    set(CURLOPT_URL,
        fmt::format("{}://{}:{}", whole ? "smtps" : "smtp", options_.host, options_.port).c_str());
    set(CURLOPT_USE_SSL, static_cast<long>(whole || upgraded ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.timeout.count()));
    set(CURLOPT_READFUNCTION, &read_message);
    set(CURLOPT_ERRORBUFFER, reason_.data());
    if (!options_.certificates.empty()) set(CURLOPT_CAINFO, options_.certificates.c_str());
    if (!options_.user.empty()) {
      set(CURLOPT_USERNAME, options_.user.c_str());
      set(CURLOPT_PASSWORD, options_.password.c_str());
    }
  }

  send_result send(const letter& what) {
    const auto from = fmt::format("<{}>", what.from);
    const auto to = fmt::format("<{}>", what.to);
    const std::unique_ptr<curl_slist, free_list> recipients{curl_slist_append(nullptr, to.c_str())};
    std::string_view rest = what.message;
    set(CURLOPT_MAIL_FROM, from.c_str());
    set(CURLOPT_MAIL_RCPT, recipients.get());
    set(CURLOPT_READDATA, &rest);
    reason_[0] = '\0';
    const auto outcome = curl_easy_perform(handle_.get());
    if (outcome == CURLE_OK) return {};
    long reply = 0;
    curl_off_t sent = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &reply);
    curl_easy_getinfo(handle_.get(), CURLINFO_SIZE_UPLOAD_T, &sent);
    const auto* reason = reason_[0] != '\0' ? reason_.data() : curl_easy_strerror(outcome);
    return tl::unexpected(send_error{
        fault_of(outcome, reply, sent),
        fmt::format("{}:{}: {} (last reply {})", options_.host, options_.port, reason, reply)});
  }

private:
  template <class Value>
  void set(CURLoption option, Value value) {
    const auto outcome = curl_easy_setopt(handle_.get(), option, value);
    if (outcome != CURLE_OK)
      throw std::runtime_error(fmt::format("libcurl: {}", curl_easy_strerror(outcome)));
  }

  smtp_options options_;
  std::unique_ptr<CURL, close_handle> handle_;
  std::array<char, CURL_ERROR_SIZE> reason_{};
};

smtp_sender::smtp_sender(smtp_options options)
    : connection_(std::make_unique<connection>(std::move(options))) {}

smtp_sender::~smtp_sender() = default;

send_result smtp_sender::send(const letter& what) {
  return connection_->send(what);
}

}  // namespace gelombang::mailer
