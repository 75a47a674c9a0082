#pragma once

#include <vector>

#include "actors/applicant/actor.hpp"
#include "actors/applicant/assessment.hpp"
#include "actors/programme/clock.hpp"
#include "actors/programme/keys.hpp"
#include "actors/programme/region.hpp"
#include "actors/provider/actor.hpp"
#include "actors/registry/actor.hpp"
#include "actors/roster/actor.hpp"
#include "actors/roster/places_actor.hpp"
#include "actors/wave/actor.hpp"
#include "net/command/settings.hpp"

namespace gelombang::command {

/// What is read once, from the files that the settings name, and never changes.
/// Making one throws `start_failure`.
struct world {
  explicit world(const settings& with);

  /// For rooms that only replay: what has happened follows from the records alone.
  static world blank();

  region_table regions;
  applicant::assessment questions;
  roster::eligibility_catalogue eligibility;
  /// The last to be read, because it may be made: not where something else stops the start.
  keyring keys;

private:
  world(region_table places, const keyring& secrets) : regions(std::move(places)), keys(secrets) {}
};

/// The rooms: every kind of entity, and what their actors share. Outlives the node.
struct rooms {
  rooms(const world& around, const clock& time, std::uint32_t shards);

  std::vector<const runtime::entity_kind*> kinds() const;

  /// The parts that read storage for the actors exist only once the node does; called before it
  /// starts.
  void connect(runtime::node& node, wave::draw_desk& desk);

  roster::views views;
  wave::board board;
  applicant::applicant_kind applicants;
  registry::person_kind persons;
  registry::family_kind families;
  registry::phone_kind phones;
  roster::roster_kind rosters;
  roster::places_kind places;
  wave::wave_kind waves;
  wave::calendar_kind calendar;
  provider::provider_kind providers;
};

}  // namespace gelombang::command
