#include "actors/runtime/shard.hpp"

#include <algorithm>

#include "actors/runtime/bounce.hpp"
#include "actors/runtime/run_queue.hpp"

namespace gelombang::runtime {
namespace {

std::string deadline_row_key(shard_index shard, const record& what) {
  auto key = table_prefix(shard, table::deadline);
  append_big_endian(key, what.sequence);
  key.push_back(static_cast<char>(what.who.kind));
  append_big_endian(key, what.who.id);
  append_big_endian(key, what.tag);
  return key;
}

}  // namespace

activation::activation(shard& in, entity_ref of, std::uint64_t when)
    : home(in), who(of), incarnation(when) {
  home.alive_.fetch_add(1, std::memory_order_relaxed);
}

activation::~activation() {
  home.alive_.fetch_sub(1, std::memory_order_release);
}

shard::shard(shard_index index, std::uint32_t shards, shard_limits limits, shard_host& host,
             const storage::state_store& store)
    : index_(index), shards_(shards), limits_(limits), host_(host), store_(store) {}

errc shard::deliver(entity_ref to, caf::mailbox_element_ptr message, run_queue* here) {
  activation_ptr fresh;
  caf::strong_actor_ptr actor;
  {
    std::lock_guard lock{mutex_};
    if (restoring_) return errc::storage_unavailable;
    auto& slot = directory_[to];
    if (!slot) {
      slot = fresh = std::make_shared<activation>(*this, to, incarnation_);
      add(slot);
    }
    auto& who = *slot;
    who.in_flight.fetch_add(1, std::memory_order_relaxed);
    who.touched = true;
    who.last_used = host_.coarse_seconds();
    if (!who.actor)
      who.waiting.push_back(std::move(message));
    else if (here)
      who.actor->enqueue(std::move(message), here);  // only notes it: nothing is run or woken
    else
      actor = who.actor;
  }
  if (actor) actor->enqueue(std::move(message), nullptr);
  if (fresh) host_.load(std::move(fresh));
  return errc::ok;
}

bool shard::deliver_if_active(entity_ref to, caf::mailbox_element_ptr message) {
  caf::strong_actor_ptr actor;
  {
    std::lock_guard lock{mutex_};
    auto found = directory_.find(to);
    if (found == directory_.end()) return false;
    auto& who = *found->second;
    who.in_flight.fetch_add(1, std::memory_order_relaxed);
    if (who.actor)
      actor = who.actor;
    else
      who.waiting.push_back(std::move(message));
  }
  if (actor) actor->enqueue(std::move(message), nullptr);
  return true;
}

void shard::activated(const activation_ptr& who, caf::strong_actor_ptr actor, run_queue* here) {
  std::lock_guard lock{mutex_};
  // A reset meanwhile has taken it out of the directory and refused what waited.
  if (who->incarnation != incarnation_) return;
  // Enqueued under the lock, so that nothing delivered from now on overtakes what has waited.
  for (auto& message : who->waiting) actor->enqueue(std::move(message), here);
  who->waiting.clear();
  who->waiting.shrink_to_fit();
  who->actor = std::move(actor);
}

void shard::discard(const activation_ptr& who) {
  caf::strong_actor_ptr last_reference;
  activation_ptr kept;
  std::lock_guard lock{mutex_};
  auto found = directory_.find(who->who);
  if (found == directory_.end() || found->second != who) return;
  kept = found->second;
  who->trusted = false;
  last_reference = std::move(who->actor);
  remove(*who);
}

std::vector<caf::mailbox_element_ptr> shard::give_up(const activation_ptr& who) {
  std::vector<caf::mailbox_element_ptr> waiting;
  std::lock_guard lock{mutex_};
  waiting.swap(who->waiting);
  auto found = directory_.find(who->who);
  if (found == directory_.end() || found->second != who) return waiting;
  auto kept = found->second;
  remove(*who);
  return waiting;
}

void shard::add(const activation_ptr& who) {
  if (ring_.size() >= limits_.active_actors_max) evict();
  who->ring_index = ring_.size();
  ring_.push_back(who.get());
}

void shard::remove(const activation& who) {
  const auto at = who.ring_index;
  ring_[at] = ring_.back();
  ring_[at]->ring_index = at;
  ring_.pop_back();
  directory_.erase(who.who);
}

/// Second-chance replacement: the hand passes whoever has been touched since it came by, and takes
/// the first that rests. It looks at a bounded number, so that a shard full of busy actors grows a
/// little beyond its limit rather than stop.
void shard::evict() {
  constexpr int looks_max = 16;
  for (int looks = 0; looks < looks_max && !ring_.empty(); ++looks) {
    if (hand_ >= ring_.size()) hand_ = 0;
    auto& who = *ring_[hand_];
    if (std::exchange(who.touched, false)) {
      ++hand_;
      continue;
    }
    if (!retire(who)) ++hand_;
    if (ring_.size() < limits_.active_actors_max) return;
  }
}

/// Passivates `who` if no message is on its way to it. Its state needs no writing: every step has
/// left the rows as they are now.
bool shard::retire(activation& who) {
  if (!who.actor || who.in_flight.load(std::memory_order_acquire) != 0) return false;
  auto kept = directory_.find(who.who)->second;
  who.actor = nullptr;
  remove(who);
  return true;
}

void shard::sweep() {
  const auto now = host_.coarse_seconds();
  // Bounds the time under the lock; the hand goes on from there next time.
  constexpr std::size_t looks_max = 4096;
  std::lock_guard lock{mutex_};
  const auto looks = std::min(looks_max, ring_.size());
  for (std::size_t i = 0; i < looks && !ring_.empty(); ++i) {
    if (hand_ >= ring_.size()) hand_ = 0;
    auto& who = *ring_[hand_];
    const bool too_many = ring_.size() > limits_.active_actors_max;
    const bool idle = now - who.last_used >= limits_.idle_seconds;
    if ((!too_many && !idle) || !retire(who)) ++hand_;
  }
}

std::size_t shard::active() const {
  std::lock_guard lock{mutex_};
  return ring_.size();
}

bool shard::believes(const activation& who) const {
  return who.incarnation == incarnation_ && who.trusted && !restoring_;
}

result<lsn> shard::append(const activation& by, step&& what, caf::strong_actor_ptr to,
                          caf::mailbox_element_ptr reply) {
  bool wake = false;
  lsn at = 0;
  held_reply at_once{};
  {
    std::lock_guard lock{mutex_};
    if (!believes(by) || !writable_) return refuse(errc::storage_unavailable);
    // Mail goes on even then, for order's sake; the other half of the frame is for it.
    if (!pending_.empty() && !what.has_source() &&
        pending_.size() + what.bytes() > pending_bytes_max)
      return refuse(errc::overloaded);
    if (what.required_gate_) {
      auto gate = gates_.find(*what.required_gate_);
      if (gate == gates_.end() || !gate->second) return refuse(errc::wave_not_open);
    }
    pending_.append(what.records_);
    pending_count_ += what.count_;
    last_ += what.count_;
    for (auto& [key, value] : what.rows_) put_row(std::move(key), std::move(value));
    for (auto& [which, by_how_many] : what.counts_) counters_[which.packed()] += by_how_many;
    for (auto& deadline : what.deadlines_) note_deadline(deadline);
    if (what.gate_) gates_[what.gate_->first] = what.gate_->second;
    for (auto& letter : what.mails_) {
      const auto peer = shard_of(letter.to.id, shards_);
      note_mail(peer, std::move(letter));
    }
    for (auto& body : what.outside_) note_mail(outside, {{}, std::move(body)});
    if (what.has_source()) {
      append_record(pending_, {.type = record_type::mail_received,
                               .peer = what.source_.from,
                               .sequence = what.source_.sequence});
      ++pending_count_;
      ++last_;
      inboxes_[what.source_.from].take(what.source_.sequence);
      if (!failed_mails_.empty()) failed_mails_.erase({what.source_.from, what.source_.sequence});
      held_acknowledgements_.emplace_back(last_, what.source_);
    }
    at = last_;
    if (at <= durable_)  // nothing in it: durable already
      at_once = {at, std::move(to), std::move(reply)};
    else if (reply)
      held_.push_back({at, std::move(to), std::move(reply)});
    // An acknowledgement may lie in `pending_` already without having woken anybody.
    wake = pending_count_ != 0 && !std::exchange(woken_, true);
  }
  if (wake) host_.wake(index_);
  if (at_once.message && at_once.to) at_once.to->enqueue(std::move(at_once.message), nullptr);
  return at;
}

void shard::note_mail(shard_index to, mail&& what) {
  auto& box = outboxes_[to];
  const auto sequence = box.next++;
  append_record(pending_, {.type = record_type::mail_sent,
                           .who = what.to,
                           .peer = to,
                           .sequence = sequence,
                           .body = what.body});
  ++pending_count_;
  ++last_;
  held_mails_.push_back({last_, to, sequence, what});
  box.waiting.emplace(sequence, std::move(what));
}

void shard::note_deadline(const record& what) {
  const deadline_key key{static_cast<std::int64_t>(what.sequence), what.who, what.tag};
  if (what.type == record_type::deadline_set) {
    deadlines_.emplace(key, 0);
    put_row(deadline_row_key(index_, what), std::string{});
  } else {
    deadlines_.erase(key);
    put_row(deadline_row_key(index_, what), std::nullopt);
  }
}

void shard::put_row(std::string key, row_value value) {
  constexpr std::size_t row_overhead_bytes = 80;  // of the map's slot and the strings
  dirty_bytes_ += key.size() + (value ? value->size() : 0) + row_overhead_bytes;
  dirty_.insert_or_assign(std::move(key), std::move(value));
}

void shard::reply_after(const activation& by, lsn after, caf::strong_actor_ptr to,
                        caf::mailbox_element_ptr reply) {
  bool wake = false;
  bool believed;
  held_reply at_once{};
  {
    std::lock_guard lock{mutex_};
    believed = believes(by);
    if (believed && after > durable_) {
      // Steps keep `held_` in order; a read waits for one of them, so it goes right behind it.
      auto at = std::upper_bound(
          held_.begin(), held_.end(), after,
          [](lsn position, const held_reply& one) { return position < one.after; });
      held_.insert(at, {after, std::move(to), std::move(reply)});
      // What it waits for may be an acknowledgement, for which nobody has been woken.
      wake = pending_count_ != 0 && !std::exchange(woken_, true);
    } else {
      at_once = {after, std::move(to), std::move(reply)};
    }
  }
  if (wake) host_.wake(index_);
  if (!at_once.to) return;
  if (believed)
    at_once.to->enqueue(std::move(at_once.message), nullptr);
  else
    bounce(at_once.to, *at_once.message);
}

lsn shard::last() const {
  std::lock_guard lock{mutex_};
  return last_;
}

bool shard::mail_seen(mail_source source) {
  bool wake = false;
  {
    std::lock_guard lock{mutex_};
    auto box = inboxes_.find(source.from);
    if (box == inboxes_.end() || !box->second.has(source.sequence)) return false;
    const bool is_durable = last_ == durable_;
    if (!is_durable) {
      held_acknowledgements_.emplace_back(last_, source);
      wake = pending_count_ != 0 && !std::exchange(woken_, true);
      if (!wake) return true;
    }
  }
  if (wake)
    host_.wake(index_);
  else
    host_.acknowledge(source.from, index_, source.sequence);
  return true;
}

void shard::mail_failed(mail_source source) {
  const auto now = host_.coarse_seconds();
  std::lock_guard lock{mutex_};
  auto [found, is_new] = failed_mails_.try_emplace({source.from, source.sequence});
  auto& one = found->second;
  one.pause = is_new ? first_pause : std::min<std::chrono::seconds>(2 * one.pause, longest_pause);
  one.until = now + static_cast<std::uint32_t>(one.pause.count());
}

bool shard::is_put_off(mail_source source) const {
  std::lock_guard lock{mutex_};
  const auto found = failed_mails_.find({source.from, source.sequence});
  return found != failed_mails_.end() && host_.coarse_seconds() < found->second.until;
}

std::size_t shard::mails_put_off() const {
  std::lock_guard lock{mutex_};
  return failed_mails_.size();
}

std::size_t shard::mails_waiting_outside() const {
  std::lock_guard lock{mutex_};
  const auto found = outboxes_.find(outside);
  return found == outboxes_.end() ? 0 : found->second.waiting.size();
}

void shard::acknowledge(shard_index peer, std::uint64_t sequence) {
  std::lock_guard lock{mutex_};
  if (!writable_ || restoring_) return;
  auto box = outboxes_.find(peer);
  if (box == outboxes_.end() || box->second.waiting.erase(sequence) == 0) return;
  append_record(pending_,
                {.type = record_type::mail_acknowledged, .peer = peer, .sequence = sequence});
  ++pending_count_;
  ++last_;
}

std::int64_t shard::count(counter which) const {
  std::lock_guard lock{mutex_};
  auto found = counters_.find(which.packed());
  return found == counters_.end() ? 0 : found->second;
}

std::map<std::uint64_t, std::int64_t> shard::counts() const {
  std::lock_guard lock{mutex_};
  return counters_;
}

std::vector<std::size_t> shard::changed_rows(const std::vector<std::string>& keys,
                                             std::vector<row_value>& values) const {
  std::vector<std::size_t> unknown;
  std::lock_guard lock{mutex_};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (auto in_dirty = dirty_.find(keys[i]); in_dirty != dirty_.end())
      values[i] = in_dirty->second;
    else if (auto in_flushing = flushing_.find(keys[i]); in_flushing != flushing_.end())
      values[i] = in_flushing->second;
    else
      unknown.push_back(i);
  }
  return unknown;
}

storage::result<std::vector<row_value>> shard::rows(const std::vector<std::string>& keys) const {
  std::vector<row_value> values(keys.size());
  const auto unknown = changed_rows(keys, values);
  if (unknown.empty()) return values;
  std::vector<std::string> wanted;
  wanted.reserve(unknown.size());
  for (auto i : unknown) wanted.push_back(keys[i]);
  auto stored = store_.get(wanted);
  if (!stored) return tl::unexpected(stored.error());
  for (std::size_t i = 0; i < unknown.size(); ++i) values[unknown[i]] = std::move((*stored)[i]);
  return values;
}

storage::result<void> shard::scan(
    const std::string& first, const std::string& end,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  // What has changed is copied before the store is read: a checkpoint that ends in between only
  // makes a row stand in both, and the copy goes first.
  std::map<std::string, row_value> changed;
  {
    std::lock_guard lock{mutex_};
    for (const auto* rows : {&flushing_, &dirty_})
      for (const auto& [key, value] : *rows)
        if (key >= first && key < end) changed.insert_or_assign(key, value);
  }
  auto next = changed.begin();
  bool more = true;
  auto visit_changed_before = [&](std::string_view limit) {
    for (; more && next != changed.end() && std::string_view{next->first} < limit; ++next)
      if (next->second) more = visit(next->first, *next->second);
  };
  auto scanned = store_.scan(first, end, [&](std::string_view key, std::string_view value) {
    visit_changed_before(key);
    if (!more) return false;
    if (next != changed.end() && next->first == key) {
      if (next->second) more = visit(next->first, *next->second);
      ++next;
      return more;
    }
    return more = visit(key, value);
  });
  if (!scanned) return scanned;
  visit_changed_before(end);
  return {};
}

std::vector<shard::due_deadline> shard::due(instant now, std::chrono::milliseconds again_after) {
  std::vector<due_deadline> found;
  const auto at = now.time_since_epoch().count();
  std::lock_guard lock{mutex_};
  for (auto& [key, handed_out] : deadlines_) {
    const auto& [due_at, who, tag] = key;
    if (due_at > at) break;
    if (handed_out != 0 && at - handed_out < again_after.count()) continue;
    handed_out = at;
    found.push_back({who, instant{std::chrono::milliseconds{due_at}}, tag});
  }
  return found;
}

}  // namespace gelombang::runtime
