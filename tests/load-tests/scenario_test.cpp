#include "load-tests/engine/scenario.hpp"

#include <gtest/gtest.h>

namespace gelombang::load {
namespace {

using namespace std::chrono_literals;

tl::expected<scenario, std::string> read(std::string_view text) {
  return scenario_in(text, "s.toml", ".");
}

constexpr std::string_view smallest = R"(
name = "s"
[[persona]]
name = "p"
steps = [{ do = "join" }]
[[phase]]
name = "x"
arrivals = "constant"
rate = 10
duration = "2 s"
)";

/// The fault of the smallest scenario with `line` behind it, in the phase's table.
std::string fault_with(std::string_view line) {
  const auto made = read(std::string{smallest} + std::string{line} + "\n");
  return made ? "" : made.error();
}

TEST(Scenario, TheSmallestHasTheUsualValues) {
  const auto made = read(smallest);
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(made->wave, "current");
  ASSERT_EQ(made->personas.size(), 1u);
  EXPECT_EQ(made->personas[0].steps[0].what, act::join);
  EXPECT_EQ(made->personas[0].steps[0].label, "join");
  EXPECT_EQ(made->phases[0].arrivals.when.duration(), 2s);
  EXPECT_EQ(made->phases[0].arrivals.how, spacing::poisson);
  EXPECT_DOUBLE_EQ(made->phases[0].arrivals.when.expected(), 20);
}

TEST(Scenario, EveryFileThatShipsReads) {
  for (const auto* name : {"opening_day", "announcement_day", "registration_launch", "bots",
                           "bad_networks", "ci", "joins"}) {
    const auto file = std::filesystem::path{GELOMBANG_SOURCE_DIR} / "load-tests/scenarios" /
                      (std::string{name} + ".toml");
    const auto made = load_scenario(file);
    EXPECT_TRUE(made) << made.error();
  }
}

TEST(Scenario, AFaultNamesTheKeyAndWhatWouldBeRight) {
  EXPECT_EQ(fault_with("rat = 3"), "s.toml: phase[0].rat: is no key here");
  EXPECT_EQ(fault_with("scale = 0"),
            "s.toml: phase[0].scale: must be a number from 1e-09 to 1e+09");
  EXPECT_EQ(fault_with("spacing = \"odd\""), "s.toml: phase[0].spacing: must be poisson or even");
  EXPECT_EQ(fault_with("personas = { q = 1 }"), "s.toml: phase[0].personas.q: is no key here");
  EXPECT_EQ(fault_with("personas = { p = 0 }"),
            "s.toml: phase[0].personas: must give somebody a weight");
  EXPECT_EQ(fault_with("[[threshold]]\nwhat = \"p98\"\nlimit = 1").substr(0, 33),
            "s.toml: threshold[0].what: must b");
  EXPECT_EQ(fault_with("[[operator]]\ndo = \"create\""),
            "s.toml: operator[0].do: must be open, close, commit, draw, announce or cancel");
  EXPECT_EQ(read("name = \"s\"").error(), "s.toml: persona: is missing");
  EXPECT_EQ(read("name = ").error().substr(0, 8), "s.toml:1");
}

TEST(Scenario, StepsAreReadWithTheirShares) {
  const auto made = read(R"(
name = "s"
[[persona]]
name = "p"
people = "in turn"
first = 5
count = 10
steps = [
  { do = "request", method = "PUT", path = "/x", body = "{}", label = "other" },
  { do = "join", pause = ["250 ms", "1 s"], repeat = [2, 3], twice = 0.5, cut = 1, tries = 4, insists = true },
]
[[phase]]
name = "x"
arrivals = "spike"
peak = 10
rise = "1 s"
duration = "5 s"
)");
  ASSERT_TRUE(made) << made.error();
  const auto& persona = made->personas[0];
  EXPECT_EQ(persona.who, choice::in_turn);
  EXPECT_EQ(persona.first, 5u);
  EXPECT_EQ(persona.steps[0].path, "/x");
  EXPECT_EQ(persona.steps[1].index, 1u);
  EXPECT_EQ(persona.steps[1].pause.least, 250ms);
  EXPECT_EQ(persona.steps[1].pause.most, 1s);
  EXPECT_EQ(persona.steps[1].repeat_most, 3u);
  EXPECT_EQ(persona.steps[1].tries, 4u);
  EXPECT_TRUE(persona.steps[1].insists);
  EXPECT_FALSE(persona.steps[0].insists);
}

TEST(Scenario, StepsThatCannotBeAreRefused) {
  const auto with = [](std::string_view step) {
    const auto made =
        read("name = \"s\"\n[[persona]]\nname = \"p\"\nsteps = [" + std::string{step} +
             "]\n[[phase]]\nname = \"x\"\narrivals = \"constant\"\nrate = 1\n"
             "duration = \"1 s\"\n");
    return made ? std::string{} : made.error();
  };
  EXPECT_EQ(with("{ do = \"join\", cut = 2 }"),
            "s.toml: persona[0].steps[0].cut: must be a number from 0 to 1");
  EXPECT_EQ(with("{ do = \"request\" }"), "s.toml: persona[0].steps[0].path: is missing");
  EXPECT_EQ(with("{ do = \"join\", pause = \"soon\" }"),
            "s.toml: persona[0].steps[0].pause: must be a time (\"2 s\") or two of them "
            "([\"1 s\", \"5 s\"])");
  EXPECT_EQ(with("{ do = \"join\", repeat = [3, 2] }"),
            "s.toml: persona[0].steps[0].repeat: must be a whole number or two of them ([1, 5])");
  EXPECT_EQ(with(""), "s.toml: persona: p has no steps");
}

}  // namespace
}  // namespace gelombang::load
