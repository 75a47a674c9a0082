#pragma once

#include "actors/programme/region.hpp"
#include "actors/runtime/node.hpp"
#include "actors/wave/board.hpp"
#include "actors/wave/desk.hpp"

namespace gelombang::wave {

/// How waves are stored, restored and woken.
class wave_kind final : public runtime::entity_kind {
public:
  wave_kind(board& shown, const clock& time) : board_(shown), time_(time) {}

  /// Who reads rosters and draws. Set before any wave wakes.
  void draws_with(draw_desk& desk) { desk_ = &desk; }

  runtime::kind what() const override { return runtime::kind::wave; }
  std::vector<std::string> rows_of(const runtime::shard& home,
                                   runtime::entity_ref who) const override;
  caf::strong_actor_ptr spawn(caf::actor_system& system, runtime::activation_ptr who,
                              const std::vector<std::string>& keys,
                              std::vector<runtime::row_value>&& rows) const override;
  result<void> replay(const runtime::shard& home, runtime::entity_ref who, std::string_view event,
                      runtime::row_editor& rows) const override;
  void restored(runtime::shard& home) const override;

private:
  board& board_;
  const clock& time_;
  draw_desk* desk_ = nullptr;
};

/// How the calendar is stored, restored and woken.
class calendar_kind final : public runtime::entity_kind {
public:
  explicit calendar_kind(const region_table& regions);

  runtime::kind what() const override { return runtime::kind::calendar; }
  std::vector<std::string> rows_of(const runtime::shard& home,
                                   runtime::entity_ref who) const override;
  caf::strong_actor_ptr spawn(caf::actor_system& system, runtime::activation_ptr who,
                              const std::vector<std::string>& keys,
                              std::vector<runtime::row_value>&& rows) const override;
  result<void> replay(const runtime::shard& home, runtime::entity_ref who, std::string_view event,
                      runtime::row_editor& rows) const override;

private:
  std::vector<region_code> regions_;
};

}  // namespace gelombang::wave
