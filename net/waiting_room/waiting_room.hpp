#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "actors/programme/clock.hpp"
#include "net/waiting_room/pace.hpp"
#include "net/waiting_room/returns.hpp"
#include "net/waiting_room/ticket.hpp"
#include "net/waiting_room/used_places.hpp"

namespace gelombang::net {

/// Whether people wait in line.
enum class room_mode : std::uint8_t {
  automatic,  ///< when the node has refused for a while, until it has caught up
  on,         ///< always
  off,        ///< never: who is too many is refused and remembers nothing
};
std::string_view name_of(room_mode mode);

struct waiting_room_options {
  room_mode mode = room_mode::automatic;
  /// People a second who are let in; 0: what the node is measured to sustain.
  std::uint32_t rate_per_second = 0;
  /// How long after its turn a ticket is good, and up to a 32nd more.
  std::chrono::milliseconds turn_lasts{600'000};
  /// Of called places, so many are remembered: older tickets are expired. Two bits each, twice.
  std::size_t places_kept = std::size_t{1} << 24;
  /// Refusing for so long opens a room that is `automatic`.
  std::chrono::milliseconds opens_after{300};
  /// Nobody waiting, nobody coming in turn and nothing refused for so long closes it.
  std::chrono::milliseconds closes_after{10'000};
};

/// Bounds of what operators and configuration may say.
inline constexpr std::uint32_t room_rate_max = 1'000'000;

/// What admission control thinks of a newcomer.
enum class node_room : std::uint8_t {
  spare,  ///< would be served
  none,   ///< would be refused
};

/// What admission control has measured since it last said so.
struct node_load {
  /// Requests served a second, of those kinds that are sent to the room.
  std::uint32_t served_per_second = 0;
  node_room now = node_room::spare;
};

/// Somebody at the door.
struct visitor {
  std::uint64_t subject = 0;     ///< `subject_of`
  std::string_view ticket = {};  ///< the header `Waiting-Ticket`, or nothing
  node_room newcomers = node_room::spare;
};

/// What somebody who waits is told.
struct waiting {
  waiting_tickets::text ticket{};
  std::uint64_t place = 0;
  std::uint64_t ahead = 0;  ///< places before it that have not been called
  instant expected_at{};
  std::uint32_t retry_after_seconds = 1;
};

/// What is done with somebody at the door.
struct verdict {
  enum class kind : std::uint8_t {
    admit,          ///< serve like anybody
    admit_in_turn,  ///< has waited: serve before others, or `take_back`
    wait,           ///< 503 with `told`
    refuse,         ///< 503 without a ticket: there is no line
  };
  kind what = kind::admit;
  waiting told{};
  /// Of `admit_in_turn`.
  waiting_ticket turn{};
};

/// What operators see.
struct room_state {
  room_mode mode = room_mode::automatic;
  bool is_open = false;
  std::optional<std::uint32_t> rate_per_second;  ///< set by an operator
  std::uint32_t measured_rate = 0;               ///< what the node is taken to sustain
  std::uint64_t waiting = 0;                     ///< places not called yet
  std::uint64_t now_serving = 0;                 ///< places below are called
  std::uint64_t next_place = 0;                  ///< the next newcomer's
  std::uint64_t admitted = 0;                    ///< in turn, since the start
  std::uint32_t show_up_permille = 1000;
};

/// What has happened since the start, for metrics.
struct room_counts {
  std::uint64_t places_given = 0;
  std::uint64_t admitted_in_turn = 0;
  std::uint64_t admitted_from_before = 0;  ///< of them, with a ticket of before a restart
  std::uint64_t early = 0;                 ///< came with a ticket before its turn
  std::uint64_t turned_back = 0;           ///< came in turn, and there was no room at that moment
  std::uint64_t openings = 0;
  std::array<std::uint64_t, ticket_faults> faults{};
};

/// The line in front of a node that has more to do than it can. Nobody who waits costs memory: what
/// there is to know stands in the ticket that he keeps, and here are two counters (the next place,
/// and how far is called), a bit for each place that was let in, and how many came of those called.
/// README.md has the reasons.
///
/// Time is passed in, and everything that takes time happens within a call: who calls when a step
/// of 20 ms is due does it for all. Thread-safe; `arrive` takes no lock that it would wait for,
/// does not allocate, and costs two HMACs for who has a ticket, one for who gets one, none
/// otherwise.
class waiting_room {
public:
  /// @param key  secret, and the same after a restart
  /// @param now  what tells this room's places from those of the process before
  waiting_room(const waiting_room_options& with, const std::array<std::uint8_t, 32>& key,
               instant now);

  /// Decides on a request of a kind that may have to wait.
  verdict arrive(const visitor& one, instant now);

  /// For `admit_in_turn` where there was no room after all: the turn is kept, and he is told to
  /// come again in a moment.
  waiting take_back(const verdict& admitted, instant now);

  /// What opens and closes the room and says how fast its line may go; ten times a second is
  /// enough.
  void report(const node_load& load, instant now);

  /// Until the next start; `rate` empty: what the node sustains.
  void set(room_mode mode, std::optional<std::uint32_t> rate, instant now);

  bool is_open() const { return is_open_.load(std::memory_order_relaxed); }
  /// Whether somebody has set how fast people may come: then a node that could do more does not.
  bool is_set() const { return is_set_.load(std::memory_order_relaxed); }
  /// Brings the line up to `now` first.
  room_state state(instant now);
  room_counts counts() const;

  /// Whoever waits longer is asked to come back in between; a tenth more at most.
  static constexpr std::chrono::seconds retry_after_max{120};
  /// A ticket of before a restart whose turn was expected longer before it is taken for used: which
  /// were is not known any more.
  static constexpr std::chrono::seconds before_restart_max{120};
  /// A ticket may be issued so much later than the clock shows that reads it: two threads' looks.
  static constexpr std::chrono::milliseconds clock_skew_max{5'000};
  static constexpr std::chrono::milliseconds step_interval{20};

private:
  /// The bit of a ticket's place; nothing when its room is not known any more.
  struct bit {
    used_places* of = nullptr;
    std::uint64_t number = 0;
  };

  enum class call_back : std::uint8_t { first, later };

  // By requests; no lock.
  verdict with_ticket(const waiting_ticket& ticket, const visitor& one, instant now);
  verdict in_turn(const waiting_ticket& ticket, const bit& place, const visitor& one, instant now);
  verdict newcomer(const visitor& one, instant now);
  waiting tell(waiting_ticket ticket, std::chrono::milliseconds left, call_back when, instant now);
  std::optional<ticket_fault> fault_of(const waiting_ticket& ticket, const visitor& one,
                                       instant now) const;
  bit bit_of(const waiting_ticket& ticket);
  bool is_ours(const waiting_ticket& ticket) const { return ticket.epoch == epoch_; }
  bool somebody_waits() const;
  std::chrono::milliseconds left_of(const waiting_ticket& ticket, instant now) const;
  std::int64_t tokens_left_by(const waiting_ticket& ticket) const;
  bool take_token(std::int64_t left_at_least);
  void give_token_back() { tokens_.fetch_add(one_token, std::memory_order_relaxed); }
  std::int64_t tokens_max() const;
  void step_when_due(instant now);

  // Behind the lock.
  void step(instant now);
  void open(instant now);
  void close();
  void adapt_rate(double seconds);
  void refill(double seconds);
  void show(const line_pace& pace, std::uint64_t serving);
  double rate() const;

  static constexpr std::int64_t one_token = 1'000;

  const waiting_room_options with_;
  const waiting_tickets tickets_;
  const instant epoch_;

  // Read by every request, written with a step.
  alignas(64) std::atomic<bool> is_open_{false};
  std::atomic<bool> is_set_{false};
  std::atomic<std::int64_t> next_step_ms_{0};
  std::atomic<std::uint64_t> serving_{1};
  std::atomic<std::uint64_t> expired_below_{0};
  std::atomic<double> places_per_second_{1}, rate_{1};
  /// The room of before whose tickets count: its epoch, and in the lowest 16 bits how many were
  /// known before it.
  std::atomic<std::uint64_t> before_{0};

  // Written by requests.
  alignas(64) std::atomic<std::uint64_t> next_{1};
  /// People who may be let in now, in thousandths.
  alignas(64) std::atomic<std::int64_t> tokens_{0};
  std::atomic<bool> saturated_{false};
  std::atomic<std::uint64_t> admitted_{0}, from_before_{0}, early_{0}, turned_back_{0};
  std::atomic<std::uint64_t> taken_back_{0};
  std::array<std::atomic<std::uint64_t>, ticket_faults> faults_{};

  used_places used_, used_before_;
  returns returns_;

  // Behind the lock.
  mutable std::mutex guard_;
  line_pace pace_;
  room_mode mode_;
  std::optional<std::uint32_t> rate_set_;
  double sustained_;
  double served_per_second_ = 0;
  std::optional<instant> refusing_since_;
  instant stepped_at_, busy_at_;
  std::uint64_t admitted_before_ = 0, from_before_before_ = 0, turned_back_before_ = 0;
  std::uint64_t openings_ = 0;
};

}  // namespace gelombang::net
