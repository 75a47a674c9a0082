#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "net/admission_settings.hpp"
#include "net/share_sketch.hpp"
#include "net/urgency.hpp"

namespace gelombang::net {

/// Who asks, as fairness sees him.
struct asker {
  std::optional<std::uint64_t> account;
  std::uint64_t address = 0;
};

/// Decides what one io thread takes on. Adapts to what the node can do: there is no figure of
/// requests a second in it.
///
/// Three things are steered. *Pressure* (0 to 1000) is the part of requests that are refused, first
/// browsing, then entering, then joining; it grows while requests stand for longer than
/// `wait_target` before they are read. The *backlog* is how many connections the kernel keeps for
/// us; further ones it leaves alone, and their own kernels come back in a second, which costs us
/// nothing. *Places* is how many requests may wait for the actors: fewer while even the fastest
/// answer takes more than `answer_target`, because the actors or the disk are what is slow.
///
/// Refusing is work too. When the credit for it is used up, a request is served although it is
/// late: at least nine tenths of the thread go into what people came for, whatever is offered. For
/// one thread; the clock is passed in.
class admission {
public:
  using time_point = std::chrono::steady_clock::time_point;
  enum class verdict : std::uint8_t {
    serve,
    serve_late,  ///< was to be refused, but there is no credit for it
    refuse,      ///< the node is over its limit
    over_share,  ///< this account has had its part of the second
  };
  /// What a request came on: a new connection waited in the kernel's queue, an old one in ours.
  enum class came_on : std::uint8_t { new_connection, kept_connection };

  admission(const admission_settings& with, time_point now);

  /// Whether the wait of the request that is being read is to be measured, and told with `waited`.
  bool wants_sample() { return (++read_ & samples_mask) == 0; }
  void waited(came_on what, std::chrono::nanoseconds wait, time_point now);
  /// What had to wait for the actors was answered, so long after it was read.
  void answered(urgency what, std::chrono::nanoseconds took);

  /// @param dice any number, for those without an account.
  verdict decide(const asker& who, urgency what, std::uint64_t dice);

  /// Once a second, also when nobody comes: a pause ends an overload.
  void look(time_point now);

  std::uint32_t pressure() const { return pressure_; }
  /// Of joining and entering, since the start.
  std::uint64_t served() const { return served_; }
  int backlog() const { return backlog_; }
  std::size_t places() const { return places_; }
  /// Requests served although they were to be refused, for want of credit.
  std::uint64_t unaffordable() const { return unaffordable_; }
  /// Those who were to be refused had better come on a new connection, where waiting is free.
  bool ends_connections() const { return pressure_ >= ends_connections_from; }
  const admission_settings& settings() const { return with_; }

private:
  static constexpr std::uint32_t samples_mask = 15;
  static constexpr std::uint32_t samples_min = 4;
  static constexpr std::uint32_t pressure_max = 1'000;
  static constexpr std::uint32_t ends_connections_from = 300;

  struct lowest {
    std::chrono::nanoseconds value = std::chrono::nanoseconds::max();
    std::uint32_t samples = 0;
    void add(std::chrono::nanoseconds one);
    std::optional<std::chrono::nanoseconds> standing() const;
  };

  void begin_anew(time_point now);
  void end_interval(time_point now);
  void steer_pressure(double intervals);
  void steer_backlog();
  void steer_places();
  bool is_chosen(const asker& who, urgency what, std::uint64_t dice) const;
  bool is_large(std::uint64_t address) const;
  void serve(const asker& who, urgency what);

  admission_settings with_;
  time_point interval_began_;
  lowest first_wait_, kept_wait_, answer_;
  std::uint32_t read_ = 0;
  std::uint32_t pressure_ = 0;
  std::uint32_t credit_;  ///< in served requests: a refusal costs `served_per_refusal`
  int backlog_;
  std::size_t places_;
  std::uint64_t unaffordable_ = 0, served_ = 0;
  // An account has a handful, which collisions must not feign; an address is large or it is not.
  share_sketch accounts_{65'536, std::chrono::seconds{1}};
  share_sketch addresses_{4'096, std::chrono::seconds{1}};
};

}  // namespace gelombang::net
