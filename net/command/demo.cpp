#include "net/command/demo.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>

#include "actors/applicant/applicant.pb.h"
#include "actors/applicant/assessment.hpp"
#include "actors/interfaces.hpp"
#include "actors/programme/email.hpp"
#include "actors/runtime/rows.hpp"
#include "actors/seed/people.hpp"
#include "net/command/ask.hpp"
#include "net/password_pool.hpp"

namespace gelombang::command {
namespace {

using applicant::applicant_actor;

tl::unexpected<std::string> failed(std::string_view what, const refusal& why) {
  return tl::unexpected(fmt::format("demo data: {}: {} {}", what, name_of(why.code), why.detail));
}

result<std::string> hash_of(const std::string& password) {
  boost::asio::io_context io;
  net::password_pool pool{{.threads = 1, .queue_max = 1}};
  auto guard = boost::asio::make_work_guard(io);
  result<std::string> hash = refuse(errc::internal);
  pool.hash(password, io, [&](result<std::string> made) {
    hash = std::move(made);
    guard.reset();
  });
  io.run();
  return hash;
}

bool is_password_of(runtime::node& node, const keyring& keys, const std::string& address,
                    const std::string& password) {
  const auto email = normalise_email(address);
  if (!email) return false;
  const auto ref = runtime::ref_of(keys.account_of(*email));
  auto& home = node.home_of(ref);
  const auto row = home.rows({runtime::snapshot_key(home.index(), ref)});
  applicant::wire::State account;
  if (!row || !row->front() || !account.ParseFromString(*row->front())) return false;
  boost::asio::io_context io;
  net::password_pool pool{{.threads = 1, .queue_max = 1}};
  auto guard = boost::asio::make_work_guard(io);
  bool matches = false;
  pool.verify(password, account.password(), io, [&](result<bool> told) {
    matches = told && *told;
    guard.reset();
  });
  io.run();
  return matches;
}

/// The account of an address, verified, with its password.
tl::expected<runtime::entity_ref, std::string> make_account(runtime::node& node,
                                                            const keyring& keys,
                                                            const std::string& address,
                                                            const std::string& password) {
  const auto email = normalise_email(address);
  if (!email) return tl::unexpected("demo data: " + address + " is no e-mail address");
  const auto self = keys.account_of(*email);
  const auto ref = runtime::ref_of(self);
  const auto now = node.time().now();
  applicant::enter_email enter;
  enter.email = *email;
  enter.now = now;
  if (auto entered = ask_and_wait<applicant_actor>(node, ref, enter); !entered)
    return failed(address, entered.error());
  auto verifier = hash_of(password);
  if (!verifier) return failed(address, verifier.error());
  applicant::verify_email verify;
  verify.code = keys.email_code(self, 1);
  verify.password_verifier = *verifier;
  verify.now = now;
  if (auto verified = ask_and_wait<applicant_actor>(node, ref, verify); !verified)
    return failed(address, verified.error());
  return ref;
}

/// Takes the first option of every question: nobody fails.
std::vector<applicant::answer> some_answers(const applicant::assessment& questions) {
  std::vector<applicant::answer> answers;
  for (const auto& one : questions.questions) answers.push_back({one.id, one.options.front().id});
  return answers;
}

tl::expected<void, std::string> make_ready(runtime::node& node, runtime::entity_ref ref,
                                           const applicant::assessment& questions) {
  const auto now = node.time().now();
  const auto person = seed::people{1}(seed::people_max);
  applicant::submit_identity identity{.number = person.nik,
                                      .card = person.kk,
                                      .full_name = "Siti Contoh",
                                      .birth_date = person.birth_date,
                                      .region = person.region,
                                      .request = {},
                                      .now = now};
  if (auto done = ask_and_wait<applicant_actor>(node, ref, identity); !done)
    return failed("identity", done.error());
  applicant::set_profile profile;
  profile.phone = person.phone;
  profile.education = applicant::education::sma;
  profile.employment = applicant::employment::job_seeker;
  profile.now = now;
  if (auto done = ask_and_wait<applicant_actor>(node, ref, profile); !done)
    return failed("profile", done.error());
  applicant::take_assessment taken;
  taken.answers = some_answers(questions);
  taken.now = now;
  if (auto done = ask_and_wait<applicant_actor>(node, ref, taken); !done)
    return failed("assessment", done.error());
  return {};
}

bool has_accounts(const runtime::node& node) {
  for (const auto& [key, count] : node.counts())
    if (key >> 32 == static_cast<std::uint64_t>(runtime::counter::family::funnel_stage) &&
        count > 0)
      return true;
  return false;
}

}  // namespace

wave::wire::Plan plan_of(const settings& with, const wave_window& window,
                         const region_table& regions) {
  wave::wire::Plan plan;
  plan.set_scheme(with.waves.scheme);
  plan.set_eligibility(with.waves.scheme);
  plan.set_opens_at(window.opens_at.time_since_epoch().count());
  plan.set_closes_at(window.closes_at.time_since_epoch().count());
  plan.set_quota(with.waves.quota);
  plan.set_minimum_per_region(with.waves.minimum_per_region);
  for (const auto& one : with.waves.groups) {
    auto* group = plan.add_groups();
    group->set_name(one.name);
    group->set_share_permille(one.share_permille);
  }
  for (const auto& region : regions.all()) {
    auto* weight = plan.add_weights();
    weight->set_region(region.code.value);
    weight->set_weight(region.population);
  }
  return plan;
}

tl::expected<void, std::string> make_demo(runtime::node& node, const keyring& keys,
                                          const settings& with, const region_table& regions,
                                          const applicant::assessment& questions) {
  if (has_accounts(node)) return {};
  auto officer = make_account(node, keys, with.demo.operator_email, with.demo.operator_password);
  if (!officer) return tl::unexpected(officer.error());
  auto person = make_account(node, keys, with.demo.applicant_email, with.demo.applicant_password);
  if (!person) return tl::unexpected(person.error());
  if (auto ready = make_ready(node, *person, questions); !ready) return ready;
  constexpr std::chrono::hours demo_wave_lasts{24 * 7};
  const auto now = node.time().now();
  wave::create command{plan_of(with, {now, now + demo_wave_lasts}, regions), now};
  auto created = ask_and_wait<wave::calendar_actor>(node, runtime::calendar_ref, command);
  if (!created) return failed("wave", created.error());
  return {};
}

bool can_sign_in(runtime::node& node, const keyring& keys, const settings& with) {
  return is_password_of(node, keys, with.demo.operator_email, with.demo.operator_password) &&
         is_password_of(node, keys, with.demo.applicant_email, with.demo.applicant_password);
}

}  // namespace gelombang::command
