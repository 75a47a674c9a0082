#include "storage/copy_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "storage/interruption.hpp"

namespace gelombang::storage {
namespace {

constexpr std::uint64_t step_bytes = 1u << 20;

}  // namespace

result<void> copy_file_in_steps(file_system& files, const std::filesystem::path& from,
                                const std::filesystem::path& to, std::uint64_t bytes,
                                const std::stop_token& until) {
  auto file = files.create(to);
  if (!file) return tl::unexpected(file.error());
  for (std::uint64_t offset = 0; offset < bytes; offset += step_bytes) {
    if (auto going = unless_told_to_stop(until); !going) return going;
    const auto wanted = std::min(step_bytes, bytes - offset);
    const auto step = files.read(from, offset, wanted);
    if (!step) return tl::unexpected(step.error());
    if (step->size() != wanted)
      return failed(fault::corrupt,
                    fmt::format("{}:{}: the file is cut off", from.string(), offset));
    if (auto done = (*file)->write_at(offset, *step); !done) return done;
  }
  return (*file)->sync();
}

}  // namespace gelombang::storage
