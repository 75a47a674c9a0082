#pragma once

#include "actors/runtime/node.hpp"

namespace gelombang::registry {

/// How NIKs, family cards and phone numbers are stored, restored and woken.
class registry_kind final : public runtime::entity_kind {
public:
  /// @param which `person`, `family` or `phone`
  explicit registry_kind(runtime::kind which) : which_(which) {}

  runtime::kind what() const override { return which_; }
  std::vector<std::string> rows_of(const runtime::shard& home,
                                   runtime::entity_ref who) const override;
  caf::strong_actor_ptr spawn(caf::actor_system& system, runtime::activation_ptr who,
                              const std::vector<std::string>& keys,
                              std::vector<runtime::row_value>&& rows) const override;
  result<void> replay(const runtime::shard& home, runtime::entity_ref who, std::string_view event,
                      runtime::row_editor& rows) const override;

private:
  runtime::kind which_;
};

}  // namespace gelombang::registry
