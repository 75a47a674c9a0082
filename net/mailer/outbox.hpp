#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>

#include "net/mailer/letter.hpp"
#include "net/mailer/sender.hpp"

namespace gelombang::mailer {

struct outbox_options {
  std::size_t queue_max = 10'000;  ///< jobs taken and not finished
  int attempts_max = 8;            ///< then the job is given back as a temporary failure
  std::chrono::milliseconds first_pause{2'000};  ///< after the first failure; doubles each time …
  std::chrono::milliseconds longest_pause{300'000};  ///< … up to this
  /// A pause is shortened or lengthened by up to so many thousandths of itself, by chance, so that
  /// what failed together does not come back together.
  int jitter_permille = 250;
};

/// Which job is to be tried when: the post office without its threads. Knows no clock: whoever
/// calls says what time it is. Not thread-safe.
class outbox {
public:
  /// A job on its way, with the number of attempts that have failed.
  struct attempt {
    job what;
    int failed = 0;
  };

  outbox(outbox_options options, std::uint64_t seed);

  /// @returns false when `queue_max` jobs are under way.
  [[nodiscard]] bool add(job what, instant now);

  /// Takes out the job that has been due longest. Give it back with `failed` or `finished`.
  std::optional<attempt> take(instant now);

  /// The attempt has ended for good: its place is free.
  void finished();

  /// Puts the job back, to be tried after a pause.
  /// @returns false when it has been tried `attempts_max` times: then it has ended, as by
  /// `finished`.
  [[nodiscard]] bool failed(attempt what, instant now);

  /// When there will be something to take; nothing when all is empty or taken.
  std::optional<instant> next_due() const;

  /// Jobs that have not ended, those taken included.
  std::size_t size() const { return under_way_; }

private:
  std::chrono::milliseconds pause_after(int failures);

  outbox_options options_;
  std::multimap<instant, attempt> waiting_;
  std::size_t under_way_ = 0;
  std::minstd_rand chance_;
};

}  // namespace gelombang::mailer
