#include "net/command/outgoing_mail.hpp"

#include <spdlog/spdlog.h>

#include "actors/applicant/applicant.pb.h"
#include "net/command/start_failure.hpp"

namespace gelombang::command {

outgoing_mail::outgoing_mail(const settings& with, runtime::node& node, const keyring& keys,
                             const clock& time)
    : node_(node), keys_(keys), time_(time), is_off_(with.mail.kind == "off") {
  if (!is_off_)
    office_ = or_stop(mailer::open_post_office(
        with.mail, time,
        {.delivered = [this](mailer::job_id id) { finish(id, figures_.delivered); },
         .failed = [this](mailer::job_id id, mailer::send_fault why) { failed(id, why); }}));
  node_.on_outside([this](runtime::shard_index from, std::uint64_t sequence,
                          const std::string& body) { return take(from, sequence, body); });
}

outgoing_mail::~outgoing_mail() {
  stop();
}

void outgoing_mail::stop() {
  if (office_) office_->stop();
}

bool outgoing_mail::take(runtime::shard_index from, std::uint64_t sequence,
                         const std::string& body) {
  applicant::wire::Letter letter;
  if (is_off_ || !letter.ParseFromString(body)) {
    finish({from, sequence});
    return true;
  }
  // A code that has expired opens nothing; whoever wants to go on asks for another.
  const instant good_until{std::chrono::milliseconds{letter.good_until()}};
  if (letter.good_until() != 0 && time_.now() >= good_until) {
    finish({from, sequence}, figures_.expired);
    return true;
  }
  const applicant_id account{letter.account()};
  auto address = keys_.open(account, letter.sealed_email());
  if (!address) {
    spdlog::error("a letter's address can't be opened: the master key is another one");
    finish({from, sequence});
    return true;
  }
  mailer::job job{.id = {from, sequence},
                  .to = std::move(*address),
                  .kind = mailer::letter_kind::code,
                  .code = keys_.email_code(account, letter.generation())};
  // What is not taken now stays in the outbox, and is offered again after a while.
  const auto intake = office_->accept(std::move(job));
  const bool full = intake == mailer::intake::full;
  if (full != full_.exchange(full))
    spdlog::warn("the post office {}",
                 full ? "is full: letters wait in the journal" : "takes letters again");
  return intake == mailer::intake::taken;
}

void outgoing_mail::finish(mailer::job_id id) {
  node_.outside_delivered(static_cast<runtime::shard_index>(id.origin), id.sequence);
}

void outgoing_mail::finish(mailer::job_id id, std::atomic<std::uint64_t>& how) {
  how.fetch_add(1, std::memory_order_relaxed);
  finish(id);
}

void outgoing_mail::failed(mailer::job_id id, mailer::send_fault why) {
  // Refused for good: keeping it would only refuse it again.
  if (why == mailer::send_fault::permanent) return finish(id, figures_.refused);
  node_.outside_failed(static_cast<runtime::shard_index>(id.origin), id.sequence);
}

}  // namespace gelombang::command
