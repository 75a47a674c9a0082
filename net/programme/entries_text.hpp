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

/// The newest of each wave that has been counted. Thread-safe.
class entries_texts {
public:
  /// Null when it has not been counted for these files.
  std::shared_ptr<const entries_text> find(const draw::draw_files& of) const;
  void keep(std::shared_ptr<const entries_text> counted);

private:
  mutable std::mutex mutex_;
  std::map<wave_number, std::shared_ptr<const entries_text>> kept_;
};

}  // namespace gelombang::net
