#pragma once

#include "tests/system/kill/model.hpp"

namespace gelombang::system_testing {

/// Looks at a node that has just been started, with nobody else asking, and compares everything it
/// says with what is believed. What was uncertain is certain afterwards.
class checker {
public:
  checker(world& all, std::uint16_t port) : all_(all), port_(port), programme_(port) {}

  void check();

  /// The people who are asked about the wave: all, or those who may have to do with it.
  void check_wave(unsigned number);

private:
  void settle_accounts();
  void settle_account(person& one);
  void check_account(person& one);
  void check_identities();
  void check_funnel();
  boost::json::array list_waves();
  void check_waves();
  std::uint64_t check_people(unsigned wave, std::size_t first, std::size_t step);
  bool check_person(programme_client& asking, person& one, unsigned wave);

  world& all_;
  std::uint16_t port_;
  programme_client programme_;
  std::map<std::string, std::int64_t> stages_;
  std::map<std::string, std::vector<const person*>> holders_;  ///< by NIK
};

}  // namespace gelombang::system_testing
