#include "net/mailer/post_office.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cassert>
#include <fstream>
#include <optional>
#include <utility>

#include "net/mailer/directory_sender.hpp"
#include "net/mailer/smtp_sender.hpp"
#include "storage/thread_name.hpp"

namespace gelombang::mailer {

post_office::post_office(mailbox from, outbox_options options,
                         std::vector<std::unique_ptr<mail_sender>> senders, const clock& time,
                         post_events events)
    : from_(std::move(from)),
      time_(time),
      events_(std::move(events)),
      outbox_(options, std::random_device{}()),
      senders_(std::move(senders)) {
  assert(!senders_.empty());
  threads_.reserve(senders_.size());
  for (auto& sender : senders_)
    threads_.emplace_back([this, &sender] {
      name_this_thread("mail");
      work(*sender);
    });
}

post_office::~post_office() {
  stop();
}

intake post_office::accept(job what) {
  {
    const std::lock_guard lock{mutex_};
    if (closing_) return intake::closed;
    if (!outbox_.add(std::move(what), time_.now())) return intake::full;
  }
  changed_.notify_one();
  return intake::taken;
}

void post_office::stop() {
  {
    const std::lock_guard lock{mutex_};
    closing_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
  while (true) {
    std::optional<outbox::attempt> left;
    {
      const std::lock_guard lock{mutex_};
      left = outbox_.take(instant::max());
      if (!left) return;
      outbox_.finished();
    }
    events_.failed(left->what.id, send_fault::temporary);
  }
}

std::size_t post_office::pending() const {
  const std::lock_guard lock{mutex_};
  return outbox_.size();
}

void post_office::work(mail_sender& sender) {
  std::unique_lock lock{mutex_};
  while (!closing_) {
    const auto now = time_.now();
    if (auto next = outbox_.take(now)) {
      lock.unlock();
      deliver(sender, *std::move(next));
      lock.lock();
    } else if (const auto due = outbox_.next_due()) {
      changed_.wait_for(lock, *due - now);
    } else {
      changed_.wait(lock);
    }
  }
}

void post_office::deliver(mail_sender& sender, outbox::attempt what) {
  const auto text = write_letter(what.what, from_, time_.now());
  if (!text) return conclude(std::move(what), {send_fault::permanent, text.error()});
  const auto outcome = sender.send(*text);
  if (!outcome) return conclude(std::move(what), outcome.error());
  {
    const std::lock_guard lock{mutex_};
    outbox_.finished();
  }
  if (failing_.exchange(false)) spdlog::info("mail: letters leave again");
  events_.delivered(what.what.id);
}

void post_office::conclude(outbox::attempt what, const send_error& error) {
  const auto id = what.what.id;
  spdlog::debug("mail {}/{}: attempt {} failed: {}", id.origin, id.sequence, what.failed + 1,
                error.detail);
  // One line when trouble begins, not one for each of the thousands of letters that it holds up.
  if (error.kind == send_fault::temporary && !failing_.exchange(true))
    spdlog::warn("mail: letters have to wait: {}", error.detail);
  if (error.kind == send_fault::permanent) note_refused(error);
  {
    const std::lock_guard lock{mutex_};
    if (error.kind == send_fault::permanent)
      outbox_.finished();
    else if (outbox_.failed(std::move(what), time_.now()))
      return;
  }
  events_.failed(id, error.kind);
}

/// At a launch thousands mistype their address in a minute.
void post_office::note_refused(const send_error& error) {
  std::uint64_t letters = 0;
  {
    const std::lock_guard lock{mutex_};
    ++refused_since_told_;
    const auto now = time_.now();
    if (now - refused_told_ < refused_told_every) return;
    refused_told_ = now;
    letters = std::exchange(refused_since_told_, 0);
  }
  spdlog::warn("mail: {} refused for good and not tried again; the last: {}",
               letters == 1 ? "a letter was" : fmt::format("{} letters were", letters),
               error.detail);
}

namespace {

std::optional<smtp_security> security_named(const std::string& name) {
  if (name == "none") return smtp_security::none;
  if (name == "starttls") return smtp_security::starttls;
  if (name == "tls") return smtp_security::tls;
  return std::nullopt;
}

tl::expected<smtp_options, std::string> smtp_options_of(const post_office_options& options) {
  const auto security = security_named(options.tls);
  if (!security)
    return tl::unexpected(
        fmt::format("mail.tls: '{}' is none of none, starttls, tls", options.tls));
  smtp_options smtp{.host = options.host,
                    .port = options.port,
                    .security = *security,
                    .user = options.user,
                    .password = {},
                    .certificates = {},
                    .timeout = options.timeout};
  if (options.user.empty()) return smtp;
  std::ifstream file{options.password_file};
  if (!std::getline(file, smtp.password))
    return tl::unexpected(
        fmt::format("mail.password_file: '{}' cannot be read", options.password_file));
  return smtp;
}

using sender_list = std::vector<std::unique_ptr<mail_sender>>;

tl::expected<sender_list, std::string> senders_for(const post_office_options& options) {
  sender_list senders;
  if (options.kind == "off") {
    senders.push_back(std::make_unique<no_sender>());
  } else if (options.kind == "directory") {
    senders.push_back(std::make_unique<directory_sender>(options.path));
  } else if (options.kind == "smtp") {
    const auto smtp = smtp_options_of(options);
    if (!smtp) return tl::unexpected(smtp.error());
    for (int i = 0; i < options.connections; ++i)
      senders.push_back(std::make_unique<smtp_sender>(*smtp));
  } else {
    return tl::unexpected(
        fmt::format("mail.kind: '{}' is none of directory, smtp, off", options.kind));
  }
  return senders;
}

}  // namespace

tl::expected<std::unique_ptr<post_office>, std::string> open_post_office(
    const post_office_options& options, const clock& time, post_events events) {
  auto from = parse_mailbox(options.from);
  if (!from) return tl::unexpected(fmt::format("mail.from: {}", from.error()));
  if (options.connections < 1) return tl::unexpected<std::string>("mail.connections: at least 1");
  auto senders = senders_for(options);
  if (!senders) return tl::unexpected(senders.error());
  return std::make_unique<post_office>(*std::move(from), options.queue, *std::move(senders), time,
                                       std::move(events));
}

}  // namespace gelombang::mailer
