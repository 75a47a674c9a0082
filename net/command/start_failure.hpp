#pragma once

#include <string>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace gelombang::command {

// Exit codes of the contract.
inline constexpr int wrong_configuration = 2;
inline constexpr int environment_failed = 3;

/// Thrown while starting, and only then: which code the process ends with, and what to tell.
struct start_failure {
  int code;
  std::string why;
};

template <class T>
T or_stop(tl::expected<T, std::string>&& read, int code = wrong_configuration) {
  if (!read) throw start_failure{code, read.error()};
  if constexpr (!std::is_void_v<T>) return std::move(*read);
}

}  // namespace gelombang::command
