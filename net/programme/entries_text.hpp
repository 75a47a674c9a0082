#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/wave/draw/draw.hpp"
#include "net/byte_range.hpp"

namespace gelombang::net {

/// Where the lines of a draw's published entries begin, so that a part of a text that is nowhere
/// stored can be given. Every `lines_a_step` lines one position is kept: 78 kB for 5 million
/// entries. Const members are thread-safe.
class entries_text {
public:
  static constexpr std::uint32_t lines_a_step = 512;

  explicit entries_text(std::shared_ptr<const draw::draw_files> files);

  /// Adds the lengths of some more lines: a million takes some 10 ms, so that an io thread does it
  /// in pieces. @returns false when all are counted, and only then may the rest be asked.
  bool count_more(std::uint32_t lines);

  std::uint64_t bytes() const { return starts_.back(); }
  const std::shared_ptr<const draw::draw_files>& of() const { return files_; }

  /// A piece of the part, from its beginning: some hundred lines. A file that is cut meanwhile
  /// gives another text, so the files are to be confirmed before it is sent.
  /// @param part  not empty, and within the text
  std::string beginning_of(const byte_range& part) const;

private:
  std::shared_ptr<const draw::draw_files> files_;
  std::uint32_t counted_ = 0;
  /// Of line 0, `lines_a_step`, twice that…, and at last the text's end.
  std::vector<std::uint64_t> starts_;
};

/// The newest of each wave that has been counted, and who is counting. Thread-safe.
class entries_texts {
public:
  struct standing {
    std::shared_ptr<const entries_text> counted;  ///< null: not yet
    /// Not null: it is the asker's to count, and nobody else's as long as it is kept.
    std::shared_ptr<const void> turn;
  };

  /// What is known for these files. Of all who ask before they are counted, one is to count at a
  /// time; the others ask again a little later, for he may give up.
  standing look_up(const draw::draw_files& of);
  /// To be called before the turn is given up.
  void keep(std::shared_ptr<const entries_text> counted);

  /// How often it has been somebody's turn.
  std::uint64_t turns() const;

private:
  mutable std::mutex mutex_;
  std::map<wave_number, std::shared_ptr<const entries_text>> kept_;
  std::map<const draw::draw_files*, std::weak_ptr<const void>> turns_;
  std::uint64_t turns_given_ = 0;
};

}  // namespace gelombang::net
