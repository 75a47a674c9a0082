#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "actors/programme/keys.hpp"
#include "actors/runtime/node.hpp"
#include "actors/wave/draw/draw.hpp"
#include "actors/wave/rules.hpp"

namespace gelombang::wave {

/// Who has been accepted in a wave, by shard: what the rosters make members of.
struct settlement {
  struct one {
    std::uint64_t applicant;
    std::uint64_t family;
  };
  std::vector<std::vector<one>> by_shard;
};

/// Where draws are made: a thread of its own that reads the frozen rosters of all shards, hands
/// them to the draw, and keeps its files below `directory`, one folder a wave. Everything it makes
/// can be made again from the rosters and what the wave's events hold. Thread-safe.
class draw_desk {
public:
  /// @param directory of all draws; made when needed
  draw_desk(runtime::node& node, const keyring& keys, std::filesystem::path directory,
            unsigned threads);
  ~draw_desk();

  /// Ends the thread when it has finished what it is at; what waits is dropped, and can be asked
  /// for again after a start.
  void stop();

  using on_read = std::function<void(result<wire::Commitment>)>;
  using on_drawn = std::function<void(result<wire::Result>)>;

  /// Reads the roster of a closed wave and commits to it; `told` is called on the desk's thread.
  void read_roster(wire::State wave, commit command, on_read told);
  /// Draws a committed wave, making its files again if they are gone.
  void make_draw(wire::State wave, hold_draw command, on_drawn told);

  /// The accepted of a drawn wave. Read once and kept until the next wave is asked for.
  result<std::shared_ptr<const settlement>> settlement_of(wave_number wave);

  /// A wave's files, up to the stage that it has come to: the desk writes those of the next stage a
  /// moment before the wave's event is durable. @returns `draw_not_published` before the first.
  result<std::shared_ptr<const draw::draw_files>> files_of(wave_number wave, draw::stage upto);

private:
  std::filesystem::path folder_of(wave_number wave) const;
  void run();
  void submit(std::function<void()> job);
  result<draw::summary> commit_files(const wire::State& wave, const commit& command);
  result<draw::parameters> parameters_of(const wire::State& wave, const commit& command) const;

  runtime::node& node_;
  const keyring& keys_;
  const std::filesystem::path directory_;
  const unsigned threads_;

  std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;

  std::mutex files_mutex_;
  /// By the stage that was asked for.
  std::map<wave_number, std::array<std::shared_ptr<const draw::draw_files>, 2>> files_;
  wave_number settled_wave_{};
  std::shared_ptr<const settlement> settlement_;

  std::thread thread_;
};

}  // namespace gelombang::wave
