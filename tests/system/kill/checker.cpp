#include "tests/system/kill/checker.hpp"

#include <fmt/format.h>

#include <future>

#include "tests/system/kill/players.hpp"

namespace gelombang::system_testing {
namespace {

/// How far "state" of an account is, as the steps are acknowledged.
step step_of(const std::string& state) {
  if (state == "email_entered") return step::entered;
  if (state == "identity_verified") return step::identified;
  if (state == "profile_complete") return step::described;
  if (state == "assessment_taken" || state == "ready") return step::ready;
  return step::verified;
}

}  // namespace

void checker::check() {
  stages_.clear();
  holders_.clear();
  settle_accounts();
  check_identities();
  check_funnel();
  check_waves();
}

void checker::settle_accounts() {
  stages_["ready"] = world::seeded;
  for (auto& one : all_.people) {
    if (one.is_seeded) continue;
    settle_account(one);
    if (!one.token.empty()) check_account(one);
    if (one.reached == step::entered) ++stages_["email_entered"];
  }
}

/// Decides what was never answered before there was a token.
void checker::settle_account(person& one) {
  if (one.reached == step::none && one.is_unsure) {
    const auto again = programme_.call(enter_email(one.email));
    if (again.status != 202) all_.wrong.add(one.email + " can't be entered: " + again.told());
    one.reached = step::entered;
    one.is_unsure = false;
  }
  if (one.reached != step::entered || !one.is_unsure) return;
  const auto in = programme_.call(sign_in(one.email, one.password));
  one.is_unsure = false;
  if (in.status == 200) {
    one.reached = step::verified;
    one.token = in.text("access_token");
  } else if (in.problem() != "credentials_wrong") {
    all_.wrong.add(one.email + " can't sign in: " + in.told());
  }
}

/// What is acknowledged of an account stands, and no claim stays half made.
void checker::check_account(person& one) {
  constexpr std::chrono::seconds claims_settle_within{30};
  const auto until = std::chrono::steady_clock::now() + claims_settle_within;
  answer me;
  std::string state;
  do {
    me = programme_.get("/v1/me", one.token);
    state = me.text("state");
  } while (state == "identity_submitted" && std::chrono::steady_clock::now() < until);
  if (me.status != 200 || state == "identity_submitted")
    return all_.wrong.add(fmt::format("{}: {}", one.email, me.told()));
  ++stages_[state];
  const bool is_rejected = state == "identity_rejected";
  const auto seen = step_of(state);
  if (is_rejected && !one.is_contested) all_.wrong.add(one.email + " lost its NIK: " + me.told());
  if (seen < one.reached)
    all_.wrong.add(fmt::format("{}: step {} was acknowledged: {}", one.email,
                               static_cast<int>(one.reached), me.told()));
  if (seen > one.reached && !one.is_unsure)
    all_.wrong.add(fmt::format("{}: only step {} was acknowledged: {}", one.email,
                               static_cast<int>(one.reached), me.told()));
  one.reached = seen;
  one.is_unsure = false;
  one.lost_nik = is_rejected;
  if (seen >= step::identified) holders_[std::string{one.papers.nik.digits()}].push_back(&one);
}

void checker::check_identities() {
  for (const auto& [number, who] : holders_) {
    if (who.size() < 2) continue;
    std::string names;
    for (const auto* one : who) names += " " + one->email;
    all_.wrong.add("one NIK is held by" + names);
  }
  // Whoever was told that a NIK is taken was told so because somebody has it.
  for (const auto& one : all_.people)
    if (one.lost_nik && !holders_.contains(std::string{one.papers.nik.digits()}))
      all_.wrong.add(one.email + " was refused a NIK that nobody has");
}

void checker::check_funnel() {
  const auto funnel = programme_.get("/v1/operator/funnel", all_.operator_token);
  if (funnel.status != 200) return all_.wrong.add("the funnel: " + funnel.told());
  const auto all = funnel.json();
  for (const auto& [name, count] : all.at("stages").as_object()) {
    const auto told = count.to_number<std::int64_t>();
    const auto counted = stages_[std::string{name}];
    if (told != counted)
      all_.wrong.add(
          fmt::format("funnel: {} at {}, but {} are there", told, std::string{name}, counted));
  }
}

/// Of all pages; a long run has more waves than one holds.
boost::json::array checker::list_waves() {
  boost::json::array all;
  std::string cursor;
  do {
    const auto page = programme_.get("/v1/waves?limit=100" + cursor);
    if (page.status != 200) {
      all_.wrong.add("the waves: " + page.told());
      return all;
    }
    const auto told = page.json();
    for (const auto& one : told.at("items").as_array()) all.push_back(one);
    const auto& next = told.at("next_cursor");
    cursor = next.is_string() ? fmt::format("&cursor={}", next.as_string().c_str()) : "";
  } while (!cursor.empty());
  return all;
}

void checker::check_waves() {
  std::set<unsigned> there;
  const auto all = list_waves();
  for (const auto& one : all) {
    const auto number = one.at("number").to_number<unsigned>();
    const auto rank = rank_of(std::string{one.at("state").as_string().c_str()});
    there.insert(number);
    if (!all_.waves.contains(number)) {
      if (!std::exchange(all_.may_have_created, false))
        all_.wrong.add(fmt::format("nobody created wave {}", number));
      all_.current = std::max(all_.current.load(), number);
    }
    auto& wave = all_.waves[number];
    // A wave whose time has come takes joins before anybody opens it.
    const bool opens_by_itself = wave.rank == rank_of("scheduled") && rank == rank_of("open");
    if (rank < wave.rank)
      all_.wrong.add(fmt::format("wave {} went back from {} to {}", number, wave.rank, rank));
    if (!opens_by_itself) wave.rank = rank;
  }
  all_.may_have_created = false;
  officer reader{all_, port_, 0};
  for (const auto& [number, wave] : all_.waves) {
    if (!there.contains(number)) all_.wrong.add(fmt::format("wave {} is gone", number));
    if (wave.rank >= rank_of("committed")) reader.look_at_publication(number);
    if (number + 1 >= all_.current) check_wave(number);
  }
}

void checker::check_wave(unsigned number) {
  constexpr std::size_t threads = 2;
  std::array<std::future<std::uint64_t>, threads> counts;
  for (std::size_t i = 0; i < threads; ++i)
    counts[i] = std::async(std::launch::async,
                           [this, number, i] { return check_people(number, i, threads); });
  std::uint64_t found = 0;
  for (auto& one : counts) found += one.get();
  const auto wave = programme_.get(fmt::format("/v1/waves/{}", number));
  const auto told = wave.number("joined");
  if (!told || static_cast<std::uint64_t>(*told) != found)
    all_.wrong.add(fmt::format("wave {}: {} are in, but {}", number, found, wave.told()));
}

std::uint64_t checker::check_people(unsigned wave, std::size_t first, std::size_t step) {
  programme_client asking{port_, static_cast<std::uint16_t>(100 + first)};
  std::uint64_t found = 0;
  for (auto i = first; i < all_.people.size(); i += step) {
    auto& one = all_.people[i];
    if (one.waves.contains(wave) && check_person(asking, one, wave)) ++found;
  }
  return found;
}

/// @returns whether this person is in.
bool checker::check_person(programme_client& asking, person& one, unsigned wave) {
  const auto got = asking.get(fmt::format("/v1/me/waves/{}", wave), one.token);
  auto& own = one.waves.at(wave);
  const auto seen = receipt_in(got, "receipt");
  auto wrong = [&](const char* why) {
    all_.wrong.add(fmt::format("{} in wave {}: {}: {}", one.email, wave, why, got.told()));
  };
  if (got.status != 200) wrong("can't be read");
  if (seen && own.is_out()) wrong("is in after it never joined, or withdrew");
  if (!seen && own.is_in()) wrong("an acknowledged join is gone");
  if (seen && own.is_in() && own.known && *own.known != *seen) wrong("another receipt than before");
  if (seen)
    own.is_now_in(seen);
  else
    own.is_now_out();
  return seen.has_value();
}

}  // namespace gelombang::system_testing
