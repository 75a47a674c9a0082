#pragma once

#include <signal.h>

#include <array>
#include <csignal>

namespace gelombang::load {

/// Takes the signals that end a run (SIGINT, SIGTERM) for as long as it lives; there is one at a
/// time. Until then they only leave word that they came.
class interruption {
public:
  interruption() {
    came = 0;
    struct sigaction how {};
    how.sa_handler = [](int) { came = 1; };
    ::sigaction(SIGINT, &how, &before_[0]);
    ::sigaction(SIGTERM, &how, &before_[1]);
  }
  ~interruption() {
    ::sigaction(SIGINT, &before_[0], nullptr);
    ::sigaction(SIGTERM, &before_[1], nullptr);
  }
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;

  static bool has_come() { return came != 0; }

private:
  static inline volatile std::sig_atomic_t came = 0;

  std::array<struct sigaction, 2> before_{};
};

}  // namespace gelombang::load
