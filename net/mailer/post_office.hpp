#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "net/mailer/letter.hpp"
#include "net/mailer/outbox.hpp"
#include "net/mailer/sender.hpp"

namespace gelombang::mailer {

/// What became of handing a job in.
enum class intake {
  taken,   ///< the post office answers for it: exactly one call will follow
  full,    ///< `queue_max` jobs are under way; offer it again later
  closed,  ///< the post office is stopping
};

/// How a job ended. Called on one of the post office's threads, or on the one that calls `stop`;
/// must not block for long and must not call back into the post office's `stop`.
struct post_events {
  std::function<void(job_id)> delivered;
  /// `temporary`: tried `attempts_max` times, or stopped before it was sent; worth offering again.
  /// `permanent`: it can never be delivered.
  std::function<void(job_id, send_fault)> failed;
};

/// Sends letters in the background, so that nobody waits for a mail server: bounded, retried with
/// growing pauses, one thread for each sender it is given. All members are thread-safe.
class post_office {
public:
  /// Letters that were refused for good are logged no more often than this, with their number.
  static constexpr std::chrono::minutes refused_told_every{1};

  /// `time` must outlive the post office. `senders` must not be empty.
  post_office(mailbox from, outbox_options options,
              std::vector<std::unique_ptr<mail_sender>> senders, const clock& time,
              post_events events);
  /// As `stop`.
  ~post_office();

  post_office(const post_office&) = delete;
  post_office& operator=(const post_office&) = delete;

  [[nodiscard]] intake accept(job what);

  /// Ends the letters being sent, gives back every other job as a temporary failure, ends the
  /// threads. Takes at most the time of one letter. Further calls do nothing.
  void stop();

  /// Jobs that have not ended.
  std::size_t pending() const;

private:
  void work(mail_sender& sender);
  void deliver(mail_sender& sender, outbox::attempt what);
  void conclude(outbox::attempt what, const send_error& error);
  void note_refused(const send_error& error);

  const mailbox from_;
  const clock& time_;
  const post_events events_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  outbox outbox_;
  bool closing_ = false;
  std::uint64_t refused_since_told_ = 0;
  instant refused_told_{};
  std::atomic<bool> failing_ =
      false;  ///< the last letter that was not refused for good had to wait
  std::vector<std::unique_ptr<mail_sender>> senders_;
  std::vector<std::thread> threads_;
};

/// `[mail]` of the configuration.
struct post_office_options {
  std::string kind = "directory";  ///< "directory", "smtp", "off"
  std::string path = "var/mail";
  std::string host = "localhost";
  std::uint16_t port = 25;
  std::string from = "no-reply@localhost.localdomain";
  std::string tls = "none";  ///< "none", "starttls", "tls"
  std::string user = {};
  std::string password_file = {};
  std::chrono::seconds timeout{30};
  int connections = 4;  ///< to the SMTP server at once
  outbox_options queue = {};
};

/// Makes the post office that the configuration asks for.
/// @returns a text that names the key at fault and the reason, for the operator.
tl::expected<std::unique_ptr<post_office>, std::string> open_post_office(
    const post_office_options& options, const clock& time, post_events events);

}  // namespace gelombang::mailer
