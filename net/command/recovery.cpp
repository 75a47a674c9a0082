#include "net/command/recovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "actors/runtime/replay.hpp"
#include "actors/runtime/rows.hpp"

namespace gelombang::command {
namespace {

struct change {
  std::string_view key;
  const runtime::row_value* value;
};

tl::unexpected<storage::error> refuse_change() {
  return storage::failed(storage::fault::io, "rows of a recovery are only read");
}

/// Rows as they stand in a store, with changes laid over them.
class changed_rows final : public storage::state_store {
public:
  /// @param over  in the order of the keys
  changed_rows(const storage::state_store& base, std::vector<change> over)
      : base_(base), over_(std::move(over)) {}

  storage::result<std::vector<runtime::row_value>> get(
      std::span<const std::string> keys) const override {
    auto rows = base_.get(keys);
    if (!rows) return rows;
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (auto at = first_from(keys[i]); at != over_.end() && at->key == keys[i])
        (*rows)[i] = *at->value;
    return rows;
  }

  storage::result<void> scan(
      std::string_view first, std::string_view end,
      const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    auto next = first_from(first);
    const auto behind = first_from(end);
    bool going_on = true;
    // Those below `key`, which the store does not have.
    const auto visit_new = [&](std::optional<std::string_view> key) {
      for (; going_on && next != behind && (!key || next->key < *key); ++next)
        if (*next->value) going_on = visit(next->key, **next->value);
    };
    auto scanned = base_.scan(first, end, [&](std::string_view key, std::string_view value) {
      visit_new(key);
      if (!going_on) return false;
      if (next == behind || next->key != key) return going_on = visit(key, value);
      const auto& changed = *(next++)->value;
      return going_on = !changed || visit(key, *changed);
    });
    if (scanned) visit_new(std::nullopt);
    return scanned;
  }

  storage::result<void> ingest(std::span<const storage::row_change>) override {
    return refuse_change();
  }
  storage::result<void> copy_to(const std::filesystem::path&,
                                const std::stop_token&) const override {
    return refuse_change();
  }
  storage::result<void> compact() override { return refuse_change(); }
  std::uint64_t disk_bytes() const override { return base_.disk_bytes(); }
  storage::result<void> verify() const override { return base_.verify(); }

private:
  std::vector<change>::const_iterator first_from(std::string_view key) const {
    return std::lower_bound(
        over_.begin(), over_.end(), key,
        [](const change& one, std::string_view least) { return one.key < least; });
  }

  const storage::state_store& base_;
  const std::vector<change> over_;
};

}  // namespace

recovery::recovery(const storage::state_store& checkpoint, std::uint32_t shards)
    : checkpoint_(checkpoint),
      around_(world::blank()),
      rooms_(around_, time_, shards),
      kinds_(runtime::by_number(rooms_.kinds())) {
  shard_host& host = *this;
  for (std::uint32_t i = 0; i < shards; ++i)
    shards_.push_back(std::make_unique<runtime::shard>(static_cast<runtime::shard_index>(i), shards,
                                                       runtime::shard_limits{}, host, checkpoint));
}

storage::result<std::unique_ptr<recovery>> recovery::begin(const storage::state_store& checkpoint,
                                                           std::uint32_t shards) {
  std::unique_ptr<recovery> begun{new recovery{checkpoint, shards}};
  for (auto& one : begun->shards_) {
    auto own = checkpoint.get(std::vector<std::string>{runtime::shard_key(one->index())});
    if (!own) return tl::unexpected(own.error());
    if (auto restored = one->restore(own->front().value_or(std::string{})); !restored)
      return storage::failed(storage::fault::corrupt, restored.error().detail);
  }
  return begun;
}

storage::result<void> recovery::take(const storage::stored_frame& frame) {
  if (frame.shard >= shards_.size())
    return storage::failed(storage::fault::corrupt,
                           fmt::format("a frame of shard {} of {}", frame.shard, shards_.size()));
  auto& home = *shards_[frame.shard];
  if (frame.last() <= home.last()) return {};
  ++frames_;
  const auto news = runtime::replay(home, frame, kinds_);
  if (!news) return tl::unexpected(news.error());
  records_ += *news;
  return {};
}

std::unique_ptr<storage::state_store> recovery::rows() {
  std::vector<change> all;
  own_rows_.resize(shards_.size());
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    auto captured = shards_[i]->capture().captured;
    own_rows_[i] = {runtime::shard_key(captured.index), std::move(captured.tables)};
    all.push_back({own_rows_[i].first, &own_rows_[i].second});
    for (const auto& [key, value] : *captured.rows) all.push_back({key, &value});
  }
  std::sort(all.begin(), all.end(),
            [](const change& one, const change& other) { return one.key < other.key; });
  return std::make_unique<changed_rows>(checkpoint_, std::move(all));
}

}  // namespace gelombang::command
