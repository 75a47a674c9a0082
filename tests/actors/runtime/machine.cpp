#include "tests/actors/runtime/machine.hpp"

#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace gelombang::runtime::test {

asking::asking(caf::actor_system& system, listener told) : told_(std::move(told)) {
  auto spawned = system.spawn<caf::actor_companion, caf::hidden>();
  handle_ = caf::actor_cast<caf::strong_actor_ptr>(spawned);
  companion_ = static_cast<caf::actor_companion*>(caf::actor_cast<caf::abstract_actor*>(handle_));
  companion_->on_enqueue([this](caf::mailbox_element_ptr what) { take(std::move(what)); });
}

asking::~asking() {
  companion_->on_enqueue(nullptr);
  caf::scoped_execution_unit context{&companion_->home_system()};
  companion_->cleanup(caf::error{}, &context);
}

template <class Command>
void asking::ask(node& of, std::uint64_t number, Command command, std::uint64_t tag) {
  const auto id = companion_->new_request_id(caf::message_priority::normal);
  const auto key = id.response_id().integer_value();
  {
    std::lock_guard lock{mutex_};
    waiting_.emplace(key, tag);
  }
  const auto refused =
      of.deliver(purse(number), caf::make_mailbox_element(handle_, id, {}, std::move(command)),
                 own_turns_ ? &*own_turns_ : nullptr);
  if (refused != errc::ok) settle(key, answer{refusal{refused}});
  constexpr std::uint64_t asked_a_turn = 8;
  if (own_turns_ && ++asked_ % asked_a_turn == 0) take_turn(of);
}

template void asking::ask(node&, std::uint64_t, put_in, std::uint64_t);
template void asking::ask(node&, std::uint64_t, hand_over, std::uint64_t);
template void asking::ask(node&, std::uint64_t, look, std::uint64_t);
template void asking::ask(node&, std::uint64_t, remind_me, std::uint64_t);
template void asking::ask(node&, std::uint64_t, explode, std::uint64_t);
template void asking::ask(node&, std::uint64_t, write_out, std::uint64_t);

void asking::take_turn(node& of) {
  if (!own_turns_) return;
  of.turn_begins();
  own_turns_->run();
  of.turn_ends();
}

void asking::wait_for(std::size_t left) {
  std::unique_lock lock{mutex_};
  answered_.wait(lock, [&] { return waiting_.size() <= left; });
}

std::size_t asking::waiting() const {
  std::lock_guard lock{mutex_};
  return waiting_.size();
}

std::uint64_t asking::surplus() const {
  std::lock_guard lock{mutex_};
  return surplus_;
}

std::uint64_t asking::granted() const {
  std::lock_guard lock{mutex_};
  return granted_;
}

std::uint64_t asking::refused(errc why) const {
  std::lock_guard lock{mutex_};
  auto found = refused_.find(why);
  return found == refused_.end() ? 0 : found->second;
}

void asking::take(caf::mailbox_element_ptr what) {
  auto& content = what->content();
  const bool good = content.match_elements<answer>();
  settle(what->mid.integer_value(),
         good ? content.get_as<answer>(0) : answer{refusal{errc::storage_unavailable}});
}

void asking::settle(std::uint64_t key, const answer& what) {
  std::unique_lock lock{mutex_};
  auto found = waiting_.find(key);
  if (found == waiting_.end()) {
    ++surplus_;
    return;
  }
  if (told_) told_(found->second, what);
  waiting_.erase(found);
  what.ok() ? ++granted_ : ++refused_[what.why.code];
  answered_.notify_all();
}

machine::machine(const std::filesystem::path& where, std::size_t active_actors_max,
                 storage::file_system& files, std::uint64_t segment_bytes_max)
    : config_(configure()), system_(*config_), kind_(watch) {
  auto opened = node::open({.data_directory = where,
                            .shards = shards,
                            .active_actors_max = active_actors_max,
                            .segment_bytes_max = segment_bytes_max,
                            .prewarm_bytes = 0},
                           files, time, system_, {&kind_});
  if (!opened) throw std::runtime_error(opened.error().detail);
  running = std::move(*opened);
  running->pump();
}

machine::~machine() {
  for (shard_index i = 0; i < shards; ++i) running->at(i).reset();
  scheduler().run();
  running.reset();
}

caf::scheduler::test_coordinator& machine::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
}

void machine::settle() {
  for (bool busy = true; busy;) busy = scheduler().run() > 0 || pump();
}

bool machine::pump() {
  const bool busy = running->pump();
  note_failures();
  return busy;
}

storage::result<void> machine::checkpoint() {
  auto done = running->checkpoint();
  note_failures();
  return done;
}

bool machine::step(std::mt19937_64& chance) {
  auto& jobs = scheduler().jobs;
  if (jobs.empty()) return false;
  std::swap(jobs.front(), jobs[chance() % jobs.size()]);
  scheduler().run_once();
  return true;
}

void machine::settle_mail() {
  constexpr int rounds_max = 20;
  for (int round = 0; round < rounds_max; ++round) {
    settle();
    if (under_way() == 0) return;
    time.advance(running->options().again_after);
  }
  throw std::runtime_error("mail does not arrive");
}

std::size_t machine::under_way() const {
  std::size_t mails = 0;
  for (shard_index i = 0; i < shards; ++i) mails += running->at(i).unacknowledged().size();
  return mails;
}

std::int64_t machine::total(std::uint64_t purses) {
  std::int64_t sum = 0;
  for (std::uint64_t i = 0; i < purses; ++i) sum += ask(i, look{})->value;
  return sum;
}

void machine::note_failures() {
  const auto failures = running->figures().commit_failures.load();
  if (std::exchange(failures_, failures) != failures) watch.forget_arrivals();
}

void machine::must_be_there(const std::optional<answer>& found) {
  if (!found) throw std::runtime_error("no answer");
}

std::unique_ptr<caf::actor_system_config> machine::configure() {
  auto config = std::make_unique<caf::actor_system_config>();
  config->set("scheduler.policy", caf::atom("testing"));
  config->add_message_types<caf::id_block::gelombang_runtime>();
  config->add_message_types<caf::id_block::runtime_tests>();
  return config;
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given ? std::strtoull(given, nullptr, 10) : otherwise;
}

}  // namespace gelombang::runtime::test
