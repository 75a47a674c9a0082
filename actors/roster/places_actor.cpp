#include "actors/roster/places_actor.hpp"

#include <deque>
#include <map>

#include "actors/interfaces.hpp"
#include "actors/roster/roster.pb.h"

namespace gelombang::roster {
namespace {

using namespace runtime;

/// How many members of a family have been accepted.
/// @returns `storage_unavailable` for a row that is not one byte.
result<int> count_in(const row_value& row, entity_ref places) {
  if (!row) return 0;
  if (row->size() != 1) return unreadable(places, "family places");
  return static_cast<std::uint8_t>(row->front());
}

/// A family may stand in a mail twice: two of its members have been accepted.
std::map<std::uint64_t, int> newly_accepted(const wire::TakePlaces& mail) {
  std::map<std::uint64_t, int> families;
  for (auto family : mail.families()) ++families[family];
  return families;
}

std::string counted(int members) {
  return std::string(1, static_cast<char>(members));
}

/// Notes that one more roster has reported for the wave; @returns how many have.
std::uint32_t note_report(wire::Places& places, std::uint32_t wave) {
  for (auto& one : *places.mutable_waves())
    if (one.wave() == wave) {
      one.set_rosters(one.rosters() + 1);
      return one.rosters();
    }
  auto* one = places.add_waves();
  one->set_wave(wave);
  one->set_rosters(1);
  return 1;
}

/// One mail after the other: each reads counts that the one before may have changed.
class places_impl final : public entity_actor<places_actor> {
public:
  places_impl(caf::actor_config& config, activation_ptr who, wire::Places&& stored,
              runtime::node& reader)
      : entity_actor<places_actor>(config, std::move(who)),
        state_(std::move(stored)),
        reader_(reader) {}

  behavior_type make_behavior() override {
    using me_t = places_impl;
    return {on<&me_t::mail>(), on<&me_t::deadline>(), on<&me_t::fetched>()};
  }

  void mail(const mail_arrived& letter) {
    if (seen_before(letter.source)) return;
    queue_.push_back(letter);
    if (queue_.size() == 1) read_counts();
  }

  void deadline(const deadline_reached&) {}

  void fetched(const rows_fetched& rows) {
    const auto letter = std::move(queue_.front());
    queue_.pop_front();
    settle(letter, rows);
    if (!queue_.empty()) read_counts();
  }

private:
  /// The message that brings the rows is counted here, since it does not come through the shard.
  void read_counts() {
    mail_.Clear();
    if (!mail_.ParseFromString(queue_.front().body))
      throw std::runtime_error("a mail to places does not parse");
    families_ = newly_accepted(mail_);
    std::vector<std::string> keys;
    keys.reserve(families_.size());
    for (const auto& [family, members] : families_)
      keys.push_back(family_places_key(home().index(), family));
    owed();
    reader_.fetch(home().index(), std::move(keys),
                  [back = caf::actor_cast<caf::strong_actor_ptr>(this)](
                      storage::result<std::vector<row_value>> rows) {
                    rows_fetched news;
                    if (rows) news.values = std::move(*rows);
                    back->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                                            std::move(news)),
                                  nullptr);
                  });
  }

  void settle(const mail_arrived& letter, const rows_fetched& rows) {
    // Rows that could not be read: without the note of receipt the mail comes again.
    if (rows.values.size() != families_.size() || home().mail_seen(letter.source)) return;
    step what{who()};
    what.received(letter.source);
    what.event(letter.body);
    auto row = rows.values.begin();
    for (const auto& [family, members] : families_) {
      const auto before = count_in(*row++, who());
      if (!before) return;
      what.put(family_places_key(home().index(), family), counted(*before + members));
    }
    auto next = state_;
    if (note_report(next, mail_.wave()) == home().shards()) {
      wave::wire::Notice notice;
      notice.mutable_places_taken()->set_shard(home().index());
      what.send(ref_of(wave_number{mail_.wave()}), notice);
    }
    what.put(snapshot_key(home().index(), who()), next.SerializeAsString());
    if (take(std::move(what))) state_.Swap(&next);
  }

  wire::Places state_;
  runtime::node& reader_;
  std::deque<mail_arrived> queue_;
  wire::TakePlaces mail_;
  std::map<std::uint64_t, int> families_;
};

}  // namespace

caf::strong_actor_ptr places_kind::wake(caf::actor_system& system, activation_ptr who,
                                        wire::Places&& stored) const {
  return spawn_entity<places_impl>(system, std::move(who), std::move(stored), *reader_);
}

result<void> places_kind::follow(const shard& home, entity_ref who, wire::Places& places,
                                 const wire::TakePlaces& mail, row_editor& rows) const {
  for (const auto& [family, members] : newly_accepted(mail)) {
    const auto key = family_places_key(home.index(), family);
    const auto before = count_in(rows.get(key), who);
    if (!before) return tl::unexpected(before.error());
    rows.put(key, counted(*before + members));
  }
  note_report(places, mail.wave());
  return {};
}

}  // namespace gelombang::roster
