#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <set>

#include "actors/programme/hex.hpp"
#include "net/openapi.hpp"
#include "net/programme/asking.hpp"
#include "net/programme/render.hpp"
#include "net/programme/routes.hpp"
#include "net/programme/texts.hpp"
#include "net/server.hpp"
#include "tests/actors/wave/small_draw.hpp"
#include "tests/net/front.hpp"

namespace gelombang::net {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace wire = wave::wire;

constexpr std::array all_phases = {wire::SCHEDULED,  wire::OPEN,      wire::CLOSING,
                                   wire::CLOSED,     wire::COMMITTED, wire::DRAWN,
                                   wire::ANNOUNCING, wire::ANNOUNCED, wire::CANCELLED};
constexpr instant opening{std::chrono::milliseconds{1'800'000'000'000}};
constexpr instant closing = opening + std::chrono::hours{84};

wave::state wave_in(wire::Phase phase) {
  wave::state wave;
  wave.set_number(7);
  wave.set_phase(phase);
  auto& plan = *wave.mutable_plan();
  plan.set_scheme("kartu-pelatihan");
  plan.set_opens_at(opening.time_since_epoch().count());
  plan.set_closes_at(closing.time_since_epoch().count());
  plan.set_quota(1000);
  return wave;
}

/// A moment at which a wave is usually in that phase.
instant moment_of(wire::Phase phase) {
  if (phase == wire::SCHEDULED) return opening - std::chrono::hours{1};
  return phase == wire::OPEN ? opening + std::chrono::hours{1} : closing + std::chrono::hours{1};
}

applicant::receipt receipt() {
  return {.wave = wave_number{7},
          .entry = {0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff},
          .region = region_code{3171},
          .joined_at = opening};
}

template <class Write>
std::string written(const Write& write) {
  std::string text;
  json_writer json{text};
  write(json);
  return text;
}

// ---- the table

TEST(ProgrammeRoutes, AgreeWithTheDocument) {
  const manual_clock time{opening};
  const server front{{}, time};
  const metrics_page page;
  router routes;
  add_house_routes(routes, front);
  add_metrics_route(routes, page);
  // No request is made, so the services are named and never touched.
  alignas(services) std::array<std::byte, sizeof(services)> room;
  add_programme_routes(routes, reinterpret_cast<services&>(room));
  EXPECT_THAT(openapi_differences(routes), IsEmpty());
}

/// What any route of its kind can answer but success, whatever its handler does.
std::set<std::string> statuses_of(const route& line, bool wants_body) {
  const bool is_programmes = line.path.starts_with("/v1/");
  const bool changes = line.method != http::verb::get;
  std::set<std::string> all{"400"};
  if (!is_programmes) return all;
  all.insert({"429", "503"});
  // A copy of the node takes as long as the disk takes.
  if (line.operation_id != "makeBackup") all.insert("504");
  if (line.who != access::anyone) all.insert({"401", "403"});
  if (changes) all.insert("413");
  if (wants_body) all.insert({"415", "422"});
  if (line.path.find('{') != std::string::npos) all.insert("404");
  // What is entered again says the same: it takes no key.
  static const std::set<std::string> says_it_all{"enterProvider", "setWaitingRoom"};
  const bool takes_key = changes && !says_it_all.contains(line.operation_id);
  if (takes_key) all.insert("422");
  static const std::set<std::string> keeps_no_answer{"enterEmail", "signOut", "importList",
                                                     "makeBackup", "putClockAhead"};
  if (takes_key && !keeps_no_answer.contains(line.operation_id)) all.insert("409");
  // With limit and cursor.
  if (line.operation_id == "listWaves") all.insert("422");
  return all;
}

TEST(ProgrammeRoutes, AreDescribedWithAllThatTheirKindCanAnswer) {
  const manual_clock time{opening};
  const server front{{}, time};
  const metrics_page page;
  router routes;
  add_house_routes(routes, front);
  add_metrics_route(routes, page);
  alignas(services) std::array<std::byte, sizeof(services)> room;
  add_programme_routes(routes, reinterpret_cast<services&>(room));
  const auto text = openapi_document();
  const auto document = boost::json::parse({text.data(), text.size()});
  for (const auto& line : routes.routes()) {
    auto method = std::string{http::to_string(line->method)};
    std::transform(method.begin(), method.end(), method.begin(),
                   [](unsigned char one) { return std::tolower(one); });
    const auto& said = document.at("paths").at(line->path).at(method).as_object();
    const auto& responses = said.at("responses").as_object();
    for (const auto& status : statuses_of(*line, said.contains("requestBody")))
      EXPECT_TRUE(responses.contains(status)) << method << " " << line->path << ": " << status;
    const bool is_key_at_fault = line->path.starts_with("/v1/") && method != "get" &&
                                 line->operation_id != "enterProvider" &&
                                 line->operation_id != "setWaitingRoom";
    if (!is_key_at_fault) continue;
    EXPECT_THAT(boost::json::serialize(said.at("parameters")), HasSubstr("IdempotencyKey"))
        << method << " " << line->path;
  }
}

TEST(ProgrammeRoutes, WavesAreNumberedInOneSpelling) {
  for (const auto* text : {"", "0", "07", "+7", "-7", "7 ", "7x", "4294967296", "current"})
    EXPECT_FALSE(parse_wave_number(text)) << text;
  EXPECT_EQ(parse_wave_number("7"), wave_number{7});
  EXPECT_EQ(parse_wave_number("4294967295"), wave_number{4294967295u});
}

TEST(ProgrammeRoutes, ProvidersAreNumberedInOneSpellingUpToTheirLimit) {
  for (const auto* text : {"", "0", "07", "+7", "-7", "7 ", "7x", "100000", "4294967303"})
    EXPECT_FALSE(parse_provider_number(text)) << text;
  EXPECT_EQ(parse_provider_number("1"), provider_id{1});
  EXPECT_EQ(parse_provider_number("99999"), provider_id{99'999});
}

TEST(ProgrammeRoutes, AKeyIsOneTextOfVisibleCharacters) {
  // What is wrong is told before anything of the services is used.
  alignas(services) std::array<std::byte, sizeof(services)> room;
  auto& untouched = reinterpret_cast<services&>(room);
  test::front front;
  front.add(http::verb::post, "/key", [&](exchange& x) {
    const auto request = request_of(untouched, x);
    if (!request) return x.refuse(request.error());
    x.reply(200, "text/plain", *request ? "a key" : "none");
  });
  front.start();
  const auto sent_with = [&](const std::string& headers) {
    return front.connect().ask(test::post("/key", "", headers + "Accept-Language: en\r\n"));
  };
  EXPECT_EQ(sent_with("").body, "none");
  const std::string name = "Idempotency-Key:";
  for (const auto& wrong :
       {name + "\r\n", name + "   \r\n", name + " a b\r\n", name + " \xc3\xa9\r\n",
        name + std::string(idempotency_key_bytes_max + 1, 'x') + "\r\n",
        name + " a\r\nidempotency-key: a\r\n"}) {
    const auto refused = sent_with(wrong);
    EXPECT_EQ(refused.status, 422) << wrong;
    EXPECT_THAT(refused.body, HasSubstr(R"("pointer":"/Idempotency-Key")")) << wrong;
    EXPECT_THAT(refused.body, HasSubstr("must come once and have 1 to 128 visible")) << wrong;
  }
}

TEST(ProgrammeRoutes, AParameterThatComesTwiceIsRefusedOnEveryRoute) {
  alignas(services) std::array<std::byte, sizeof(services)> room;
  router routes;
  add_programme_routes(routes, reinterpret_cast<services&>(room));
  test::front front;
  for (const auto& one : routes.routes())
    if (one->method == http::verb::get && one->who == access::anyone)
      front.add(one->method, one->path, one->answer);
  front.start();
  for (const auto* path : {"/v1/waves", "/v1/waves/current", "/v1/waves/7", "/v1/assessment"}) {
    for (const auto* query : {"?limit=1&limit=2", "?=1", "?a=%zz"}) {
      const auto refused = front.get(std::string{path} + query);
      EXPECT_EQ(refused.status, 400) << path << query;
      EXPECT_THAT(refused.body, HasSubstr("/problems/query_invalid")) << path << query;
    }
  }
}

// ---- texts

template <class Values>
void expect_texts_of(const Values& values) {
  std::set<std::string_view> seen;
  for (auto one : values) {
    const auto text = explanation_of(one);
    EXPECT_THAT(text.indonesian, Not(IsEmpty())) << name_of(one);
    EXPECT_THAT(text.english, Not(IsEmpty())) << name_of(one);
    EXPECT_TRUE(seen.insert(text.indonesian).second) << name_of(one);
    EXPECT_TRUE(seen.insert(text.english).second) << name_of(one);
  }
}

TEST(ProgrammeTexts, EveryStateHasItsOwnInBothLanguages) {
  expect_texts_of(all_wave_states);
  expect_texts_of(all_own_states);
  expect_texts_of(all_reasons);
  for (auto step = applicant::next_step::enter_email; step <= applicant::next_step::contact_help;
       step = static_cast<applicant::next_step>(static_cast<int>(step) + 1)) {
    EXPECT_THAT(explanation_of(step).indonesian, Not(IsEmpty())) << applicant::name_of(step);
    EXPECT_THAT(explanation_of(step).english, Not(IsEmpty())) << applicant::name_of(step);
  }
}

// ---- waves

TEST(ProgrammeRender, PhasesHaveTheNamesThatTheRoomGivesThem) {
  for (auto phase : all_phases)
    EXPECT_EQ(name_of(state_of(wave_in(phase), moment_of(phase))), wave::phase_name(phase));
}

TEST(ProgrammeRender, AWaveIsOpenOrClosedTheMomentItsHourStrikes) {
  EXPECT_EQ(state_of(wave_in(wire::SCHEDULED), opening), wave_state::open);
  EXPECT_EQ(state_of(wave_in(wire::OPEN), closing - std::chrono::milliseconds{1}),
            wave_state::open);
  EXPECT_EQ(state_of(wave_in(wire::OPEN), closing), wave_state::closed);
  EXPECT_EQ(state_of(wave_in(wire::SCHEDULED), closing), wave_state::closed);
}

TEST(ProgrammeRender, AWaveSaysWhatEverybodyMayKnow) {
  const auto wave = wave_in(wire::OPEN);
  const auto text = written([&](json_writer& json) {
    write_wave(json, {.wave = wave, .joined = 12, .now = opening}, language::english);
  });
  EXPECT_THAT(text, HasSubstr(R"({"number":7,"scheme":"kartu-pelatihan","state":"open",)"
                              R"("opens_at":"2027-01-15T08:00:00Z")"));
  EXPECT_THAT(text, HasSubstr(R"("quota":1000,"joined":12,)"));
  EXPECT_THAT(text, HasSubstr(explanation_of(wave_state::open).english));
}

TEST(ProgrammeRender, AReceiptIsTheContracts) {
  EXPECT_EQ(written([](json_writer& json) { write_receipt(json, receipt()); }),
            R"({"wave":7,"entry_id":"ab0102030405060708090a0b0c0d0eff","region":"3171",)"
            R"("joined_at":"2027-01-15T08:00:00Z","state":"joined"})");
}

// ---- providers

provider::wire::Card provider_card() {
  provider::wire::Card card;
  card.set_number(12);
  card.set_name("Balai \"Karya\"");
  card.set_registered_at(opening.time_since_epoch().count());
  card.set_changed_at(closing.time_since_epoch().count());
  return card;
}

TEST(ProgrammeRender, AnActiveProviderSaysWhatItHasNot) {
  EXPECT_EQ(written([](json_writer& json) { write_provider(json, provider_card()); }),
            R"({"number":12,"name":"Balai \"Karya\"","website":null,"state":"active",)"
            R"("suspension":null,"registered_at":"2027-01-15T08:00:00Z",)"
            R"("changed_at":"2027-01-18T20:00:00Z"})");
}

TEST(ProgrammeRender, ASuspendedProviderSaysWhyAndSinceWhen) {
  auto card = provider_card();
  card.set_website("https://contoh.id");
  card.mutable_suspension()->set_reason("izin dicabut");
  card.mutable_suspension()->set_since(closing.time_since_epoch().count());
  const auto text = written([&](json_writer& json) { write_provider(json, card); });
  EXPECT_THAT(text, HasSubstr(R"("website":"https://contoh.id","state":"suspended",)"
                              R"("suspension":{"reason":"izin dicabut",)"
                              R"("since":"2027-01-18T20:00:00Z"})"));
}

// ---- one's own standing

own_state own_in(wire::Phase phase, bool joined) {
  const auto wave = wave_in(phase);
  own_standing own{.wave = wave, .now = moment_of(phase)};
  if (joined) own.joined = receipt();
  return state_of(own);
}

TEST(ProgrammeRender, OwnStatesFollowTheWave) {
  EXPECT_EQ(own_in(wire::SCHEDULED, false), own_state::not_open);
  EXPECT_EQ(own_in(wire::OPEN, false), own_state::can_join);
  EXPECT_EQ(own_in(wire::OPEN, true), own_state::joined);
  for (auto phase : {wire::CLOSING, wire::CLOSED, wire::COMMITTED, wire::DRAWN, wire::ANNOUNCING}) {
    EXPECT_EQ(own_in(phase, true), own_state::in_selection) << wave::phase_name(phase);
    EXPECT_EQ(own_in(phase, false), own_state::closed) << wave::phase_name(phase);
  }
  EXPECT_EQ(own_in(wire::ANNOUNCED, true), own_state::not_selected);
  EXPECT_EQ(own_in(wire::ANNOUNCED, false), own_state::not_joined);
  EXPECT_EQ(own_in(wire::CANCELLED, true), own_state::cancelled);
}

TEST(ProgrammeRender, WhoCannotJoinIsToldWhichRule) {
  const auto wave = wave_in(wire::OPEN);
  const own_standing own{
      .wave = wave, .hindrance = errc::not_eligible, .detail = "age_below_minimum", .now = opening};
  const auto text =
      written([&](json_writer& json) { write_standing(json, own, language::indonesian); });
  EXPECT_THAT(text, HasSubstr(R"("state":"cannot_join")"));
  EXPECT_THAT(text,
              HasSubstr(R"("hindrance":{"name":"not_eligible","detail":"age_below_minimum",)"));
  EXPECT_THAT(text, HasSubstr(R"("receipt":null)"));
}

/// Three people of one region for one seat.
std::shared_ptr<const draw::draw_files> small_draw(const std::filesystem::path& directory) {
  const auto given = draw::testing::parameters_for_three({7}, 1, "secret");
  if (!draw::commit(directory, draw::testing::roster_of_three(), given, 1)) return nullptr;
  if (!draw::run(directory, "beacon", "secret", 1)) return nullptr;
  auto files = draw::draw_files::open(directory);
  return files ? std::make_shared<const draw::draw_files>(std::move(*files)) : nullptr;
}

TEST(ProgrammeRender, EveryOutcomeComesWithItsTicketAndProof) {
  const auto directory = std::filesystem::path{testing::TempDir()} / "programme_render_draw";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const auto files = small_draw(directory);
  ASSERT_TRUE(files);
  const auto wave = wave_in(wire::ANNOUNCED);
  int accepted = 0;
  for (std::uint32_t index = 0; index < 3; ++index) {
    own_standing own{.wave = wave, .joined = receipt(), .now = closing};
    own.accepted = files->verdict_of(index).outcome() == draw::outcome::accepted;
    own.entry = own_entry{files, index, files->proof(index).value()};
    accepted += own.accepted;
    const auto text =
        written([&](json_writer& json) { write_standing(json, own, language::english); });
    EXPECT_THAT(text, HasSubstr(own.accepted ? R"("state":"accepted")" : R"("reason":"reserve")"));
    EXPECT_THAT(text, HasSubstr("\"ticket\":\"" + to_hex(files->ticket(index)) + '"'));
    EXPECT_THAT(text, HasSubstr("\"index\":" + std::to_string(index) + ",\"size\":3,\"path\":[\"" +
                                to_hex(files->proof(index)->front()) + '"'));
  }
  EXPECT_EQ(accepted, 1);
  std::filesystem::remove_all(directory);
}

TEST(ProgrammeRender, WhoIsLeftOutOfADrawIsToldWhy) {
  const auto directory = std::filesystem::path{testing::TempDir()} / "programme_render_left_out";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const auto files = small_draw(directory);
  ASSERT_TRUE(files);
  const auto wave = wave_in(wire::ANNOUNCED);
  auto known = receipt(), elsewhere = receipt();
  known.region = draw::testing::region_of_three;
  elsewhere.region = region_code{1101};
  for (const auto& joined : {known, elsewhere}) {
    for (const bool is_member : {false, true}) {
      const own_standing own{.wave = wave,
                             .joined = joined,
                             .is_member = is_member,
                             .left_out_of = files,
                             .now = closing};
      const auto reason =
          is_member ? not_selected_for::already_member : not_selected_for::family_full;
      EXPECT_EQ(reason_of(own), reason);
      const auto text =
          written([&](json_writer& json) { write_standing(json, own, language::english); });
      EXPECT_THAT(text, HasSubstr(R"("state":"not_selected")"));
      EXPECT_THAT(text, HasSubstr(explanation_of(reason).english));
      const auto cutoff = joined.region == known.region
                              ? '"' + to_hex(*files->region(joined.region).cutoff) + '"'
                              : std::string{"null"};
      EXPECT_THAT(
          text, HasSubstr(R"("outcome":"not_selected","reason":")" + std::string{name_of(reason)} +
                          R"(","ticket":null,"cutoff":)" + cutoff));
      EXPECT_THAT(text, HasSubstr(R"("proof":null})"));
    }
  }
  std::filesystem::remove_all(directory);
}

// ---- oneself and tokens

TEST(ProgrammeRender, ANewcomerSeesWhatIsNext) {
  applicant::me me;
  me.account = applicant_id{0x2a};
  me.stage = applicant::stage::email_verified;
  me.next = applicant::next_step::submit_identity;
  me.email = "siti@example.com";
  const auto text =
      written([&](json_writer& json) { write_me(json, me, nullptr, language::english); });
  EXPECT_THAT(text, HasSubstr(R"({"account_id":"000000000000002a","email":"siti@example.com",)"
                              R"("state":"email_verified","reasons":[],"next":"submit_identity")"));
  EXPECT_THAT(text, HasSubstr(R"("identity":null,"profile":null,"assessment":null,"wave":null})"));
}

TEST(ProgrammeRender, WhatIsNextFollowsTheWaveOnceEverythingIsComplete) {
  using applicant::next_step;
  applicant::me me;
  me.next = next_step::join_a_wave;
  const auto next_in = [&](wire::Phase phase, bool joined, bool is_member = false) {
    const auto wave = wave_in(phase);
    own_standing own{.wave = wave, .is_member = is_member, .now = moment_of(phase)};
    if (joined) own.joined = receipt();
    own.accepted = joined && is_member;
    return next_of(me, &own);
  };
  EXPECT_EQ(next_of(me, nullptr), next_step::wait_for_a_wave);
  EXPECT_EQ(next_in(wire::SCHEDULED, false), next_step::wait_for_a_wave);
  EXPECT_EQ(next_in(wire::OPEN, false), next_step::join_a_wave);
  for (auto phase : {wire::OPEN, wire::CLOSED, wire::COMMITTED, wire::DRAWN})
    EXPECT_EQ(next_in(phase, true), next_step::wait_for_result) << wave::phase_name(phase);
  EXPECT_EQ(next_in(wire::CLOSED, false), next_step::wait_for_a_wave);
  EXPECT_EQ(next_in(wire::ANNOUNCED, true), next_step::wait_for_a_wave) << "not selected";
  EXPECT_EQ(next_in(wire::ANNOUNCED, true, true), next_step::nothing);
  EXPECT_EQ(next_in(wire::SCHEDULED, false, true), next_step::nothing) << "of an earlier wave";
  EXPECT_EQ(next_in(wire::CANCELLED, true), next_step::wait_for_a_wave);
  me.next = next_step::set_profile;
  EXPECT_EQ(next_in(wire::OPEN, true), next_step::set_profile);
}

TEST(ProgrammeRender, WhoHasJoinedIsNotToldToJoin) {
  applicant::me me;
  me.next = applicant::next_step::join_a_wave;
  const auto wave = wave_in(wire::OPEN);
  const own_standing own{.wave = wave, .joined = receipt(), .now = opening};
  const auto text =
      written([&](json_writer& json) { write_me(json, me, &own, language::english); });
  EXPECT_THAT(text, HasSubstr(R"("next":"wait_for_result")"));
}

}  // namespace
}  // namespace gelombang::net
