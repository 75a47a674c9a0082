#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/seed/people.hpp"
#include "tests/system/support/programme_client.hpp"

/// What the kill test believes: what has been acknowledged must be so, what has been refused must
/// not, and what was never answered may be either, until a look at it decides.
namespace gelombang::system_testing {

struct receipt {
  std::string entry_id;
  std::string joined_at;
  friend bool operator==(const receipt&, const receipt&) = default;
};

/// The receipt in an answer's member `at` (the whole answer if empty).
std::optional<receipt> receipt_in(const answer& from, const std::string& at = {});

/// One person in one wave.
struct participation {
  bool may_be_in = false;
  bool may_be_out = true;
  std::optional<receipt> known = std::nullopt;  ///< where it has been seen

  bool is_in() const { return may_be_in && !may_be_out; }
  bool is_out() const { return may_be_out && !may_be_in; }
  void is_now_in(std::optional<receipt> with) { *this = {true, false, std::move(with)}; }
  void is_now_out() { *this = {}; }
};

enum class step { none, entered, verified, identified, described, ready };

/// A request with an Idempotency-Key and the answer it got: the same again gets the same.
struct keyed {
  request what;
  int status = 0;
  std::optional<receipt> given;
};

/// Somebody that a client thread plays; nobody else touches it while the threads run.
struct person {
  std::string email;
  std::string password;
  std::string token;
  seed::person papers;
  bool is_contested = false;  ///< its NIK is also somebody else's
  step reached = step::none;  ///< as far as acknowledged
  bool is_unsure = false;     ///< the step after `reached` was asked for and never answered
  bool lost_nik = false;      ///< the NIK was somebody else's already
  bool is_seeded = false;
  std::map<unsigned, participation> waves;
  std::deque<keyed> keys;
  std::optional<request> unanswered;  ///< a keyed join of which nothing has been heard
};

/// How far a wave is; a wave never goes back.
int rank_of(const std::string& state);

struct wave_belief {
  int rank = 0;
  std::string root;     ///< published with the commitment
  std::string summary;  ///< published with the draw
  std::string entries;
};

/// What is wrong, from all threads.
class findings {
public:
  void add(std::string what);
  bool empty() const;
  std::string all() const;

private:
  mutable std::mutex mutex_;
  std::vector<std::string> found_;
};

/// How often what has happened: a run in which nothing happens proves nothing.
struct tally {
  std::atomic<unsigned> joins{0}, withdrawals{0}, repeats{0}, unanswered{0}, accounts{0},
      collisions{0}, waves_drawn{0}, reads{0}, retries{0};
};

struct world {
  static constexpr unsigned seeded = 2000;
  static constexpr std::uint64_t people_seed = 1;  ///< the one `gelombang seed` takes by default

  std::vector<person> people;             ///< first those seeded
  std::map<unsigned, wave_belief> waves;  ///< the operator's, while the threads run
  std::atomic<unsigned> current{0};       ///< the wave that people join
  bool may_have_created = false;          ///< an order to create was never answered
  std::string operator_token;
  findings wrong;
  tally done;
};

}  // namespace gelombang::system_testing
