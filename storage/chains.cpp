#include "storage/chains.hpp"

#include <fmt/format.h>

#include <utility>

namespace gelombang::storage {
namespace {

template <class... Arguments>
tl::unexpected<chain_flaw> broken(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  return tl::unexpected(
      chain_flaw{fault::corrupt, fmt::format(text, std::forward<Arguments>(arguments)...)});
}

tl::unexpected<chain_flaw> gap(shard_index shard, lsn before, lsn checkpoint) {
  return tl::unexpected(chain_flaw{
      fault::missing, fmt::format("shard {} begins behind {}, its checkpoint stands at {}", shard,
                                  before, checkpoint)});
}

}  // namespace

chains::chains(const positions& checkpoint, bool complete) : complete_(complete) {
  for (const auto& [shard, at] : checkpoint) state_of(shard).checkpoint = at;
}

tl::expected<void, chain_flaw> chains::enter(const shard_range& range) {
  auto& state = state_of(range.shard);
  if (!state.known) {
    if (range.start.last > state.checkpoint.last) {
      return gap(range.shard, range.start.last, state.checkpoint.last);
    }
    state.at = range.start;
    state.known = state.chain_known = true;
    return {};
  }
  if (range.start.last != state.at.last || range.start.epoch < state.at.epoch) {
    return broken("shard {} begins behind {} instead of {}", range.shard, range.start.last,
                  state.at.last);
  }
  if (state.chain_known && range.start.chain != state.at.chain) {
    return broken("the chain of shard {} is broken at {}", range.shard, state.at.last);
  }
  return {};
}

tl::expected<void, chain_flaw> chains::skip(const shard_range& range) {
  auto& state = state_of(range.shard);
  state.at = range.end;
  state.chain_known = true;
  if (range.end.last == state.checkpoint.last && range.end.chain != state.checkpoint.chain) {
    return broken("shard {} at {} is not what the checkpoint has seen", range.shard,
                  range.end.last);
  }
  return {};
}

tl::expected<void, chain_flaw> chains::leave(const shard_range& range) {
  const auto& state = state_of(range.shard);
  const auto same_chain = !state.chain_known || state.at.chain == range.end.chain;
  if (state.at.last == range.end.last && state.at.epoch == range.end.epoch && same_chain) return {};
  return broken("shard {} ends at {}, not as the segment's index says", range.shard, state.at.last);
}

tl::expected<chains::step, chain_flaw> chains::follow(decoded_frame& frame, walk_depth depth) {
  auto& state = state_of(frame.shard);
  const auto& checkpoint = state.checkpoint;
  if (auto known = begin_at_first(state, frame); !known) return tl::unexpected(known.error());
  if (auto fits = check_step(state, frame); !fits) return tl::unexpected(fits.error());

  const auto behind = frame.last() > checkpoint.last;
  const auto at_checkpoint = frame.last() == checkpoint.last;
  state.chain_known = behind || at_checkpoint || depth == walk_depth::everything;
  if (state.chain_known) frame.self = frame.compute_digest();
  if (at_checkpoint && frame.self != checkpoint.chain) {
    return broken("shard {} at {} is not what the checkpoint has seen", frame.shard, frame.last());
  }
  step done{.before = state.at, .after = {}, .behind_checkpoint = behind};
  done.before.chain = frame.previous;
  state.at = {.epoch = frame.epoch, .last = frame.last(), .chain = frame.self};
  done.after = state.at;
  return done;
}

/// Older history has been moved away, and no index says where this shard began.
tl::expected<void, chain_flaw> chains::begin_at_first(shard_state& state,
                                                      const decoded_frame& frame) {
  if (state.known) return {};
  if (frame.first - 1 > state.checkpoint.last) {
    return gap(frame.shard, frame.first - 1, state.checkpoint.last);
  }
  state.at = {.epoch = 0, .last = frame.first - 1, .chain = frame.previous};
  if (state.at.last == state.checkpoint.last) state.at = state.checkpoint;
  state.known = state.chain_known = true;
  return {};
}

tl::expected<void, chain_flaw> chains::check_step(const shard_state& state,
                                                  const decoded_frame& frame) {
  if (frame.first != state.at.last + 1) {
    return broken("shard {} goes on at {} instead of {}", frame.shard, frame.first,
                  state.at.last + 1);
  }
  if (frame.epoch < state.at.epoch) {
    return broken("shard {} goes back to epoch {} at {}", frame.shard, frame.epoch, frame.first);
  }
  if (state.chain_known && frame.previous != state.at.chain) {
    return broken("the chain of shard {} is broken at {}", frame.shard, frame.first);
  }
  if (frame.last() > state.checkpoint.last && frame.first <= state.checkpoint.last) {
    return broken("the checkpoint of shard {} at {} lies within a frame", frame.shard,
                  state.checkpoint.last);
  }
  return {};
}

result<std::vector<position>> chains::finish(const std::filesystem::path& directory) {
  std::vector<position> ends(states_.empty() ? 0 : states_.rbegin()->first + std::size_t{1});
  for (auto& [shard, state] : states_) {
    if (!state.known) state.at = state.checkpoint;
    if (state.at.last < state.checkpoint.last) {
      return failed(fault::missing,
                    fmt::format("{}: shard {} ends at {}, but its checkpoint stands at {}",
                                directory.string(), shard, state.at.last, state.checkpoint.last));
    }
    ends[shard] = state.at;
  }
  return ends;
}

chains::shard_state& chains::state_of(shard_index shard) {
  const auto [at, added] = states_.try_emplace(shard);
  if (added) at->second.known = at->second.chain_known = complete_;
  return at->second;
}

}  // namespace gelombang::storage
