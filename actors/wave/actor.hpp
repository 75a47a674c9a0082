#pragma once

#include "actors/programme/region.hpp"
#include "actors/runtime/snapshot_kind.hpp"
#include "actors/wave/board.hpp"
#include "actors/wave/desk.hpp"

namespace gelombang::wave {

/// How waves are stored, restored and woken.
class wave_kind final : public runtime::snapshot_kind<wire::State, wire::Event> {
public:
  wave_kind(board& shown, const clock& time) : board_(shown), time_(time) {}

  /// Who reads rosters and draws. Set before any wave wakes.
  void draws_with(draw_desk& desk) { desk_ = &desk; }

  runtime::kind what() const override { return runtime::kind::wave; }
  void restored(runtime::shard& home) const override;

private:
  caf::strong_actor_ptr wake(caf::actor_system& system, runtime::activation_ptr who,
                             wire::State&& stored) const override;
  result<void> follow(const runtime::shard& home, runtime::entity_ref who, wire::State& stored,
                      const wire::Event& happened, runtime::row_editor& rows) const override;

  board& board_;
  const clock& time_;
  draw_desk* desk_ = nullptr;
};

/// How the calendar is stored, restored and woken.
class calendar_kind final : public runtime::snapshot_kind<wire::Calendar, wire::CalendarEvent> {
public:
  explicit calendar_kind(const region_table& regions);

  runtime::kind what() const override { return runtime::kind::calendar; }

private:
  caf::strong_actor_ptr wake(caf::actor_system& system, runtime::activation_ptr who,
                             wire::Calendar&& stored) const override;
  result<void> follow(const runtime::shard& home, runtime::entity_ref who, wire::Calendar& stored,
                      const wire::CalendarEvent& happened,
                      runtime::row_editor& rows) const override;

  std::vector<region_code> regions_;
};

}  // namespace gelombang::wave
