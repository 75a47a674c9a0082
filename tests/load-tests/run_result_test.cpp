#include "load-tests/generator/run_result.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <functional>
#include <limits>

#include "tests/load-tests/runs.hpp"

namespace gelombang::load {
namespace {

using testing::behaviour;
using ::testing::HasSubstr;
using testing::made_up_run;

run_result small_run() {
  auto run = made_up_run({.seconds = 4, .offered_per_second = 20, .served = 0.7});
  run.kinds["status"].offered = 3;
  run.kinds["status"].answers = {{200, 1}, {304, 2}};
  run.kinds["status"].latency.record_many(1500, 3);
  run.thresholds = judge(run, {{"join", measure::p99, 100}, {"check", measure::p99, 100}});
  run.notes = {"the server's clock is manual"};
  return run;
}

std::string text_of(const run_result& run) {
  return boost::json::serialize(to_json(run));
}

/// What is said of a good document after `change` has been at it.
std::string refusal_after(const std::function<void(boost::json::object&)>& change) {
  auto document = to_json(small_run());
  change(document.as_object());
  const auto read = run_result_from_json(boost::json::serialize(document));
  return read ? "accepted" : read.error();
}

boost::json::object& first_slot(boost::json::object& run) {
  return run["timeline"].as_array()[0].as_object();
}

boost::json::object& joins(boost::json::object& run) {
  return run["kinds"].as_object()["join"].as_object();
}

TEST(RunResult, AnswersStandForWhatTheyMeanToPeople) {
  for (auto status : {200, 201, 204, 299, 304}) EXPECT_EQ(standing_of(status), standing::served);
  for (auto status : {429, 503}) EXPECT_EQ(standing_of(status), standing::refused);
  for (auto status : {100, 199, 300, 302, 400, 401, 404, 409, 500, 502, 504}) {
    EXPECT_EQ(standing_of(status), standing::failed) << status;
  }
}

TEST(RunResult, TalliesAnswersAndErrors) {
  kind_result kind;
  kind.answers = {{200, 5}, {304, 1}, {429, 2}, {500, 3}, {503, 4}};
  kind.errors = {{"timeout", 7}, {"reset", 8}};
  const auto counts = tally_of(kind);
  EXPECT_EQ(counts.served, 6u);
  EXPECT_EQ(counts.refused, 6u);
  EXPECT_EQ(counts.errors, 15u);
  EXPECT_EQ(counts.failed, 18u);
}

TEST(RunResultJson, ReadsWhatItWrote) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    auto run = made_up_run({.seconds = 7, .served = 0.8, .seed = seed});
    run.thresholds = judge(run, {{"join", measure::p50, 1.25}, {"none", measure::max, 3}});
    run.notes = {"Bücher \"und\" <Zeichen>\n"};
    const auto read = run_result_from_json(text_of(run));
    ASSERT_TRUE(read.has_value()) << read.error();
    EXPECT_EQ(*read, run);
  }
  EXPECT_EQ(run_result_from_json(text_of({})), run_result());
}

TEST(RunResultJson, LeavesOutMetricsThatAreNoNumbers) {
  auto run = small_run();
  run.server[1].metrics["quantile"] = std::nan("");
  run.server[1].metrics["bound"] = std::numeric_limits<double>::infinity();
  const auto read = run_result_from_json(text_of(run));
  ASSERT_TRUE(read.has_value()) << read.error();
  EXPECT_EQ(*read, small_run());
}

TEST(RunResultJson, RefusesWhatIsNoRun) {
  const auto refusal = [](std::string_view text) { return run_result_from_json(text).error(); };
  EXPECT_THAT(refusal(""), HasSubstr("the document is not JSON: "));
  EXPECT_THAT(refusal("{\"format\":"), HasSubstr("the document is not JSON: "));
  EXPECT_THAT(refusal(std::string(100, '[')), HasSubstr("the document is not JSON: "));
  EXPECT_EQ(refusal("[]"), "the document is not an object");
  EXPECT_EQ(refusal("{}"), R"(the document has no "format")");
  EXPECT_EQ(refusal(R"({"format":"gelombang-load/2"})"), "/format is not gelombang-load/1");
}

TEST(RunResultJson, NamesThePlaceThatIsWrong) {
  using json = boost::json::object;
  EXPECT_EQ(refusal_after([](json&) {}), "accepted");
  EXPECT_EQ(refusal_after([](json& run) { run["mode"] = 1; }),
            R"(the document has a "mode", which is not known here)");
  EXPECT_EQ(refusal_after([](json& run) { run.erase("seed"); }), R"(the document has no "seed")");
  EXPECT_EQ(refusal_after([](json& run) { run["seconds"] = -1; }),
            "/seconds is not between 0 and 604800");
  EXPECT_EQ(refusal_after([](json& run) { run["seconds"] = "60"; }), "/seconds is not a number");
  EXPECT_EQ(refusal_after([](json& run) { first_slot(run)["sent"] = 1.5; }),
            "/timeline/0/sent is not a whole number");
  EXPECT_EQ(refusal_after([](json& run) { first_slot(run).erase("latency"); }),
            R"(/timeline/0 has no "latency")");
  EXPECT_EQ(refusal_after([](json& run) { joins(run)["answers"].as_object()["OK"] = 1; }),
            "/kinds/join/answers/OK is not of an HTTP status");
  EXPECT_EQ(refusal_after([](json& run) { joins(run)["latency"].as_object()["beyond"] = 3; }),
            "/kinds/join/latency/beyond does not fit the longest");
  EXPECT_EQ(refusal_after([](json& run) { run["kinds"].as_object()["a/b~"] = 3; }),
            "/kinds/a~1b~0 is not an object");
  EXPECT_EQ(refusal_after([](json& run) { run["kinds"].as_object()["all"] = joins(run); }),
            "/kinds/all is the name of all kinds together");
  EXPECT_EQ(refusal_after([](json& run) { run["phases"].as_array()[1].as_object()["to_ns"] = 1; }),
            "/phases/1/to_ns is before its begin");
  EXPECT_EQ(refusal_after([](json& run) { run["server"].as_array()[2].as_object()["second"] = 1; }),
            "/server/2 is out of order");
  EXPECT_EQ(
      refusal_after([](json& run) { run["thresholds"].as_array()[1].as_object()["met"] = true; }),
      "/thresholds/1/met is true of nothing");
  EXPECT_EQ(refusal_after([](json& run) { run["notes"].as_array().emplace_back(17); }),
            "/notes/1 is not a text");
}

TEST(RunResultJson, HasItsLimits) {
  using json = boost::json::object;
  const auto with_name = [](std::size_t bytes) {
    return refusal_after([&](json& run) { run["scenario"] = std::string(bytes, 'a'); });
  };
  EXPECT_EQ(with_name(256), "accepted");
  EXPECT_EQ(with_name(257), "/scenario is longer than 256 bytes");
  const auto with_kinds = [](int more) {
    return refusal_after([&](json& run) {
      for (int i = 0; i != more; ++i) run["kinds"].as_object()[std::to_string(i)] = joins(run);
    });
  };
  EXPECT_EQ(with_kinds(254), "accepted");
  EXPECT_EQ(with_kinds(255), "/kinds has more than 256 members");
  const auto with_notes = [](std::size_t notes, std::size_t bytes) {
    return refusal_after([&](json& run) {
      run["notes"] = boost::json::array(notes, boost::json::string(bytes, 'a'));
    });
  };
  EXPECT_EQ(with_notes(1000, 4096), "accepted");
  EXPECT_EQ(with_notes(1001, 1), "/notes has more than 1000 elements");
  EXPECT_EQ(with_notes(1, 4097), "/notes/0 is longer than 4096 bytes");
  const auto with_errors = [](int kinds) {
    return refusal_after([&](json& run) {
      json errors;
      for (int i = 0; i != kinds; ++i) errors[std::to_string(i)] = 1;
      joins(run)["errors"] = errors;
    });
  };
  EXPECT_EQ(with_errors(64), "accepted");
  EXPECT_EQ(with_errors(65), "/kinds/join/errors has more than 64 members");
  EXPECT_EQ(refusal_after([](json& run) {
              joins(run)["errors"] = json{{std::string(257, 'a'), 1}};
            }),
            "/kinds/join/errors has a member with too long a name");
}

TEST(RunResultMerge, IsAsCountedTogether) {
  auto first = made_up_run({.seconds = 5, .served = 0.9, .seed = 1});
  auto second = made_up_run({.seconds = 9, .served = 0.5, .seed = 2});
  second.seed = first.seed;
  second.phases = first.phases;
  second.server.erase(second.server.begin());
  second.server[0].metrics = {{"other", 3}, {"process_resident_memory_bytes", 5}};
  first.notes = {"one", "both"};
  second.notes = {"both", "other"};
  first.thresholds = judge(first, {{}});
  auto both = first;
  ASSERT_TRUE(merge(both, second).has_value());

  EXPECT_EQ(both.seconds, 9);
  EXPECT_EQ(both.generators, 2u);
  auto joins = first.kinds.at("join");
  joins.merge(second.kinds.at("join"));
  EXPECT_EQ(both.kinds.at("join"), joins);
  EXPECT_EQ(joins.offered, 14u * 200);
  ASSERT_EQ(both.timeline.size(), 9u);
  std::uint64_t served = 0;
  sparse_histogram latency;
  for (const auto& slot : both.timeline) {
    served += slot.served;
    latency.merge(slot.latency);
  }
  EXPECT_EQ(served, tally_of(joins).served);
  EXPECT_EQ(histogram(latency), joins.latency);
  EXPECT_EQ(both.timeline[8], second.timeline[8]);
  EXPECT_EQ(both.server.size(), 9u);
  EXPECT_EQ(both.server[1].metrics.at("other"), 3);
  EXPECT_EQ(both.server[1].metrics.at("process_resident_memory_bytes"), 1e9);
  EXPECT_TRUE(both.thresholds.empty());
  EXPECT_EQ(both.notes, (std::vector<std::string>{"one", "both", "other"}));
}

TEST(RunResultMerge, RefusesWhatIsNotOfTheSameRun) {
  const auto refusal_after_change = [](const std::function<void(run_result&)>& change) {
    auto into = small_run();
    auto from = small_run();
    change(from);
    const auto merged = merge(into, from);
    EXPECT_FALSE(merged.has_value());
    EXPECT_EQ(into, small_run());
    return merged ? "accepted" : merged.error();
  };
  EXPECT_EQ(refusal_after_change([](run_result& run) { run.scenario = "bots"; }),
            "not of one run: scenario is opening-day and bots");
  EXPECT_EQ(refusal_after_change([](run_result& run) { run.target = "b:1"; }),
            "not of one run: target is 127.0.0.1:8080 and b:1");
  EXPECT_EQ(refusal_after_change([](run_result& run) { run.started_at = "later"; }),
            "not of one run: start is 2026-11-20T05:00:00Z and later");
  EXPECT_EQ(refusal_after_change([](run_result& run) { run.seed = 9; }),
            "not of one run: seed is 1 and 9");
  EXPECT_EQ(refusal_after_change([](run_result& run) { run.phases.pop_back(); }),
            "not of one run: their phases differ");
}

/// 80 of 100 are served, after 1 ms to 80 ms; 15 are refused after 2 ms; 3 fail, 2 get no answer.
run_result known_run() {
  run_result run;
  run.seconds = 10;
  auto& joins = run.kinds["join"];
  joins.offered = joins.sent = 100;
  joins.answers = {{201, 80}, {503, 15}, {500, 3}};
  joins.errors = {{"timeout", 2}};
  for (std::uint64_t i = 1; i <= 80; ++i) joins.latency.record(i * 1000);
  joins.refusal.record_many(2000, 15);
  return run;
}

TEST(Thresholds, AreMetUpToTheLimitAndNotBeyond) {
  const auto met = [](measure what, double limit) {
    return judge(known_run(), {{"join", what, limit}}).at(0).met;
  };
  const auto found = [](measure what) {
    return judge(known_run(), {{"join", what, 0}}).at(0).found.value();
  };
  for (auto [what, exact] : std::map<measure, double>{{measure::p50, 40},
                                                      {measure::p90, 72},
                                                      {measure::p99, 80},
                                                      {measure::p999, 80},
                                                      {measure::max, 80},
                                                      {measure::refusal_p99, 2},
                                                      {measure::rate_served_min, 8},
                                                      {measure::refused_share_max, 0.15},
                                                      {measure::failed_share_max, 0.05},
                                                      {measure::errors_max, 2}}) {
    EXPECT_NEAR(found(what), exact, exact / 128) << name_of(what);
    EXPECT_TRUE(met(what, found(what))) << name_of(what);
    const auto is_least = what == measure::rate_served_min;
    EXPECT_EQ(met(what, found(what) * 0.99), is_least) << name_of(what);
    EXPECT_EQ(met(what, found(what) * 1.01), !is_least) << name_of(what);
    EXPECT_EQ(measure_named(name_of(what)), what);
  }
  EXPECT_FALSE(measure_named("p95").has_value());
}

TEST(Thresholds, ARateIsOfMeasuredTimeOnly) {
  auto run = known_run();
  EXPECT_EQ(run.measured_seconds(), 10);
  using namespace std::chrono_literals;
  run.phases = {{"warm-up", 0s, 6s, false}, {"opening", 6s, 8s}, {"evening", 8s, 10s}};
  EXPECT_EQ(run.measured_seconds(), 4);
  EXPECT_DOUBLE_EQ(judge(run, {{"join", measure::rate_served_min, 0}})[0].found.value(), 20);
  EXPECT_THAT(summary_text(run), HasSubstr("join                     100        20.0"));
}

TEST(Thresholds, OfAllAreOfAllKindsTogether) {
  auto run = known_run();
  run.kinds["status"].offered = 100;
  run.kinds["status"].answers = {{200, 100}};
  run.kinds["status"].latency.record_many(100, 100);
  const auto found = judge(run, {{"all", measure::p50, 1}, {"all", measure::refused_share_max, 1}});
  EXPECT_DOUBLE_EQ(found[0].found.value(), 0.1);
  EXPECT_DOUBLE_EQ(found[1].found.value(), 0.075);
}

TEST(Thresholds, AreNotMetByNothing) {
  run_result run;
  run.seconds = 1;
  run.kinds["join"];
  run.kinds["check"].offered = 1;
  run.kinds["check"].errors = {{"timeout", 1}};
  run.thresholds = judge(run, {{"join", measure::failed_share_max, 1},
                               {"status", measure::errors_max, 5},
                               {"check", measure::p99, 1000},
                               {"check", measure::errors_max, 1}});
  EXPECT_FALSE(run.thresholds[0].met);
  EXPECT_FALSE(run.thresholds[1].met);
  EXPECT_FALSE(run.thresholds[2].met);
  EXPECT_FALSE(run.thresholds[2].found.has_value());
  EXPECT_TRUE(run.thresholds[3].met);
  EXPECT_FALSE(all_met(run));
  EXPECT_TRUE(all_met(known_run()));
}

TEST(Summary, TellsEveryKindAndWhatWentWrong) {
  auto run = known_run();
  run.kinds["join"].sent = 99;
  run.kinds["status"].offered = 1;
  run.kinds["status"].errors = {{"reset", 1}};
  run.thresholds = judge(run, {{"join", measure::errors_max, 2}, {"join", measure::p99, 5}});
  run.notes = {"the first second is missing"};
  const auto text = summary_text(run);
  EXPECT_THAT(text, HasSubstr("join                     100         8.0    15.00%    5.00%"));
  EXPECT_THAT(text, HasSubstr("status                     1         0.0     0.00%  100.00%"));
  EXPECT_THAT(text, HasSubstr("all                      101"));
  EXPECT_THAT(text, HasSubstr("answers  201 80  500 3  503 15\n"));
  EXPECT_THAT(text, HasSubstr("errors   reset 1  timeout 2\n"));
  EXPECT_THAT(text, HasSubstr("refused within 2.00 ms (p99)\n"));
  EXPECT_THAT(text, HasSubstr("2 were due and never sent\n"));
  EXPECT_THAT(text, HasSubstr("met     join: without an answer, at most 2: 2\n"));
  EXPECT_THAT(text, HasSubstr("MISSED  join: p99, ms at most 5: 80\n"));
  EXPECT_THAT(text, HasSubstr("note: the first second is missing\n"));
}

}  // namespace
}  // namespace gelombang::load
