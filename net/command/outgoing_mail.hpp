#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "actors/programme/clock.hpp"
#include "actors/programme/keys.hpp"
#include "actors/runtime/node.hpp"
#include "net/command/settings.hpp"
#include "net/mailer/post_office.hpp"

namespace gelombang::command {

/// How letters have ended since the start. Only ever grow.
struct letter_figures {
  std::atomic<std::uint64_t> delivered{0};
  std::atomic<std::uint64_t> refused{0};  ///< for good, by whom they were handed to
  std::atomic<std::uint64_t> expired{0};  ///< what they say was good no more
};

/// Durable mail to the outside becomes letters here: a mail is acknowledged to its shard when its
/// letter is delivered, when there is nobody it could ever be delivered to, or when nobody needs it
/// any more: a code that has expired. Made before the node starts, because what is left from the
/// last run is handed over then.
class outgoing_mail {
public:
  outgoing_mail(const settings& with, runtime::node& node, const keyring& keys, const clock& time);
  ~outgoing_mail();
  outgoing_mail(const outgoing_mail&) = delete;
  outgoing_mail& operator=(const outgoing_mail&) = delete;

  /// Before the node stops: no acknowledgement comes afterwards.
  void stop();

  const letter_figures& figures() const { return figures_; }

private:
  bool take(runtime::shard_index from, std::uint64_t sequence, const std::string& body);
  void finish(mailer::job_id id);
  void finish(mailer::job_id id, std::atomic<std::uint64_t>& how);
  void failed(mailer::job_id id, mailer::send_fault why);

  runtime::node& node_;
  const keyring& keys_;
  const clock& time_;
  bool is_off_;
  letter_figures figures_;
  std::atomic<bool> full_{false};
  std::unique_ptr<mailer::post_office> office_;
};

}  // namespace gelombang::command
