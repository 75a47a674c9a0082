#include "actors/runtime/shard.hpp"

#include <algorithm>

#include "actors/runtime/runtime.pb.h"

namespace gelombang::runtime {

shard::cut shard::take_pending() {
  std::lock_guard lock{mutex_};
  return take_pending_locked();
}

shard::cut shard::take_pending_locked() {
  cut taken{taken_ + 1, pending_count_, std::move(pending_)};
  pending_.clear();
  pending_count_ = 0;
  woken_ = false;
  taken_ = last_;
  return taken;
}

shard::released shard::committed(lsn upto, std::string&& buffer) {
  std::lock_guard lock{mutex_};
  durable_ = upto;
  if (pending_.empty() && pending_.capacity() < buffer.capacity()) {
    buffer.clear();
    pending_ = std::move(buffer);
  }
  return take_released(upto);
}

shard::released shard::take_released(lsn upto) {
  released out;
  while (!held_.empty() && held_.front().after <= upto) {
    out.replies.emplace_back(std::move(held_.front().to), std::move(held_.front().message));
    held_.pop_front();
  }
  while (!held_mails_.empty() && held_mails_.front().after <= upto) {
    auto& one = held_mails_.front();
    if (one.to == outside)
      out.outside.emplace_back(one.sequence, std::move(one.what.body));
    else
      out.mails.emplace_back(mail_source{one.to, one.sequence}, std::move(one.what));
    held_mails_.pop_front();
  }
  while (!held_acknowledgements_.empty() && held_acknowledgements_.front().first <= upto) {
    out.acknowledgements.push_back(held_acknowledgements_.front().second);
    held_acknowledgements_.pop_front();
  }
  return out;
}

shard::captured_cut shard::capture() {
  wire::Shard own;
  std::lock_guard lock{mutex_};
  auto taken = take_pending_locked();
  std::swap(dirty_, flushing_);
  dirty_bytes_ = 0;
  own.set_last(taken_);
  own.set_shards(shards_);
  for (const auto& [key, value] : counters_) {
    auto* entry = own.add_counters();
    entry->set_key(key);
    entry->set_value(value);
  }
  for (const auto& [to, box] : outboxes_) {
    auto* entry = own.add_outboxes();
    entry->set_to(to);
    entry->set_next(box.next);
    for (const auto& [sequence, letter] : box.waiting) {
      auto* one = entry->add_waiting();
      one->set_sequence(sequence);
      one->set_kind(static_cast<std::uint32_t>(letter.to.kind));
      one->set_id(letter.to.id);
      one->set_body(letter.body);
    }
  }
  for (const auto& [from, box] : inboxes_) {
    auto* entry = own.add_inboxes();
    entry->set_from(from);
    entry->set_complete(box.complete());
    for (auto sequence : box.beyond()) entry->add_beyond(sequence);
  }
  return {std::move(taken), {index_, taken_, &flushing_, own.SerializeAsString()}};
}

void shard::checkpoint_done() {
  row_map done;
  {
    std::lock_guard lock{mutex_};
    std::swap(done, flushing_);
  }
  // Its rows are freed outside the lock; its table is kept for what changes after the next capture,
  // which would otherwise grow one step by step.
  done.clear();
  std::lock_guard lock{mutex_};
  if (flushing_.empty()) std::swap(done, flushing_);
}

void shard::checkpoint_failed() {
  std::lock_guard lock{mutex_};
  for (auto& [key, value] : flushing_)
    if (!dirty_.contains(key)) put_row(key, std::move(value));
  flushing_.clear();
}

std::size_t shard::dirty_bytes() const {
  std::lock_guard lock{mutex_};
  return dirty_bytes_;
}

shard::released shard::reset() {
  released refused;
  std::vector<activation_ptr> gone;
  std::vector<caf::strong_actor_ptr> last_references;
  std::lock_guard lock{mutex_};
  restoring_ = true;
  ++incarnation_;
  for (auto& one : held_) refused.replies.emplace_back(std::move(one.to), std::move(one.message));
  for (auto& [ref, who] : directory_) {
    for (auto& message : who->waiting)
      refused.replies.emplace_back(message->sender, std::move(message));
    who->waiting.clear();
    last_references.push_back(std::move(who->actor));
    gone.push_back(who);
  }
  directory_.clear();
  ring_.clear();
  hand_ = 0;
  held_.clear();
  held_mails_.clear();
  held_acknowledgements_.clear();
  pending_.clear();
  pending_count_ = 0;
  woken_ = false;
  last_ = durable_ = taken_ = 0;
  dirty_.clear();
  flushing_.clear();
  dirty_bytes_ = 0;
  counters_.clear();
  outboxes_.clear();
  inboxes_.clear();
  failed_mails_.clear();
  deadlines_.clear();
  gates_.clear();
  return refused;
}

result<storage::position> shard::restore(std::string_view tables) {
  wire::Shard own;
  if (!own.ParseFromArray(tables.data(), static_cast<int>(tables.size())))
    return refuse(errc::internal, {}, "a shard's own row does not parse");
  if (!tables.empty() && own.shards() != shards_)
    return refuse(errc::internal, {},
                  "the data is divided into " + std::to_string(own.shards()) + " shards, not " +
                      std::to_string(shards_));
  {
    std::lock_guard lock{mutex_};
    last_ = taken_ = durable_ = own.last();
    for (const auto& entry : own.counters()) counters_[entry.key()] = entry.value();
    for (const auto& entry : own.outboxes()) {
      auto& box = outboxes_[static_cast<shard_index>(entry.to())];
      box.next = entry.next();
      for (const auto& one : entry.waiting())
        box.waiting.emplace(one.sequence(),
                            mail{{static_cast<kind>(one.kind()), one.id()}, one.body()});
    }
    for (const auto& entry : own.inboxes())
      inboxes_[static_cast<shard_index>(entry.from())] =
          inbox{entry.complete(), {entry.beyond().begin(), entry.beyond().end()}};
  }
  storage::position where{.epoch = own.epoch(), .last = own.last(), .chain = {}};
  if (own.chain().size() == where.chain.size())
    std::copy(own.chain().begin(), own.chain().end(), where.chain.begin());
  const auto first = table_prefix(index_, table::deadline);
  auto read = store_.scan(first, end_of(first), [&](std::string_view key, std::string_view) {
    if (key.size() != first.size() + 21) return true;
    key.remove_prefix(first.size());
    const auto due_at = read_big_endian<std::uint64_t>(key);
    const entity_ref who{static_cast<kind>(key[8]), read_big_endian<std::uint64_t>(key.substr(9))};
    std::lock_guard lock{mutex_};
    deadlines_.emplace(deadline_key{static_cast<std::int64_t>(due_at), who,
                                    read_big_endian<std::uint32_t>(key.substr(17))},
                       0);
    return true;
  });
  if (!read) return refuse(errc::storage_unavailable, {}, read.error().detail);
  return where;
}

void shard::restored() {
  std::lock_guard lock{mutex_};
  restoring_ = false;
}

/// Gives replayed events the rows as they stand. Single-threaded: recovery runs before anybody
/// else.
class shard::editor final : public row_editor {
public:
  explicit editor(shard& of) : of_(of) {}

  std::optional<std::string> get(const std::string& key) override {
    auto values = of_.rows({key});
    if (values) return std::move(values->front());
    unreadable_ = values.error().detail;
    return std::nullopt;
  }
  /// Why a row could not be read; what was made of its absence is not to be kept.
  const std::optional<std::string>& unreadable() const { return unreadable_; }
  void put(std::string key, std::string value) override {
    std::lock_guard lock{of_.mutex_};
    of_.put_row(std::move(key), std::move(value));
  }
  void erase(std::string key) override {
    std::lock_guard lock{of_.mutex_};
    of_.put_row(std::move(key), std::nullopt);
  }
  void count(counter which, std::int64_t by) override {
    std::lock_guard lock{of_.mutex_};
    of_.counters_[which.packed()] += by;
  }

private:
  shard& of_;
  std::optional<std::string> unreadable_;
};

result<void> shard::replay(lsn at, const record& what, const replay_event& replay) {
  {
    std::lock_guard lock{mutex_};
    last_ = taken_ = durable_ = at;
    switch (what.type) {
      case record_type::event:
        break;
      case record_type::mail_sent: {
        auto& box = outboxes_[what.peer];
        box.next = what.sequence + 1;
        box.waiting.insert_or_assign(what.sequence, mail{what.who, std::string{what.body}});
        return {};
      }
      case record_type::mail_received:
        inboxes_[what.peer].take(what.sequence);
        return {};
      case record_type::mail_acknowledged:
        outboxes_[what.peer].waiting.erase(what.sequence);
        return {};
      case record_type::deadline_set:
      case record_type::deadline_cleared:
        note_deadline(what);
        return {};
    }
  }
  editor rows{*this};
  auto done = replay(what.who, what.body, rows);
  if (rows.unreadable()) return refuse(errc::storage_unavailable, {}, *rows.unreadable());
  return done;
}

std::vector<std::pair<mail_source, mail>> shard::unacknowledged() const {
  std::vector<std::pair<mail_source, mail>> found;
  std::lock_guard lock{mutex_};
  for (const auto& [to, box] : outboxes_)
    for (const auto& [sequence, letter] : box.waiting)
      found.emplace_back(mail_source{to, sequence}, letter);
  return found;
}

std::vector<std::pair<mail_source, mail>> shard::overdue_mail(
    instant now, std::chrono::milliseconds again_after) {
  std::vector<std::pair<mail_source, mail>> found;
  std::lock_guard lock{mutex_};
  if (restoring_ || now - overdue_asked_ < again_after) return found;
  overdue_asked_ = now;
  std::set<std::pair<shard_index, std::uint64_t>> not_durable;
  for (const auto& one : held_mails_) not_durable.emplace(one.to, one.sequence);
  for (const auto& [to, box] : outboxes_) {
    if (to == outside) continue;  // whoever delivers to the world keeps trying by himself
    const auto before = std::exchange(overdue_before_[to], box.next);
    for (const auto& [sequence, letter] : box.waiting)
      if (sequence < before && !not_durable.contains({to, sequence}))
        found.emplace_back(mail_source{to, sequence}, letter);
  }
  return found;
}

void shard::outside_refused(std::uint64_t sequence, instant now) {
  std::lock_guard lock{mutex_};
  refused_outside_.insert_or_assign(sequence, now);
}

std::optional<std::pair<std::uint64_t, std::string>> shard::next_refused(
    instant now, std::chrono::milliseconds again_after) {
  std::lock_guard lock{mutex_};
  if (restoring_) return std::nullopt;
  const auto& waiting = outboxes_[outside].waiting;
  while (!refused_outside_.empty()) {
    const auto first = refused_outside_.begin();
    if (now - first->second < again_after) return std::nullopt;
    const auto sequence = first->first;
    refused_outside_.erase(first);
    if (auto letter = waiting.find(sequence); letter != waiting.end())
      return std::pair{sequence, letter->second.body};
  }
  return std::nullopt;
}

void shard::set_writable(bool writable) {
  std::lock_guard lock{mutex_};
  writable_ = writable;
}

void shard::set_gate(std::uint64_t number, bool open) {
  std::lock_guard lock{mutex_};
  gates_[number] = open;
}

}  // namespace gelombang::runtime
