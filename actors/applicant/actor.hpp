#pragma once

#include "actors/applicant/assessment.hpp"
#include "actors/programme/keys.hpp"
#include "actors/programme/region.hpp"
#include "actors/roster/views.hpp"
#include "actors/runtime/node.hpp"

namespace gelombang::applicant {

/// What an applicant's actor needs besides its own rows. All of it outlives the actors and is
/// thread-safe.
struct surroundings {
  const keyring& keys;
  const region_table& regions;
  const assessment& questions;
  const roster::views& waves;
};

/// How applicants are stored, restored and woken.
class applicant_kind final : public runtime::entity_kind {
public:
  explicit applicant_kind(surroundings around) : around_(around) {}

  /// For rows that are older than an activation reads: the node that reads them. Set before any
  /// applicant wakes.
  void reads_with(runtime::node& reader) { reader_ = &reader; }

  runtime::kind what() const override { return runtime::kind::applicant; }
  bool is_brief() const override { return true; }
  std::vector<std::string> rows_of(const runtime::shard& home,
                                   runtime::entity_ref who) const override;
  caf::strong_actor_ptr spawn(caf::actor_system& system, runtime::activation_ptr who,
                              const std::vector<std::string>& keys,
                              std::vector<runtime::row_value>&& rows) const override;
  result<void> replay(const runtime::shard& home, runtime::entity_ref who, std::string_view event,
                      runtime::row_editor& rows) const override;

private:
  surroundings around_;
  runtime::node* reader_ = nullptr;
};

}  // namespace gelombang::applicant
