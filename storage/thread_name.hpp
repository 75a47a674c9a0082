#pragma once

#include <pthread.h>

#include <algorithm>
#include <string>

namespace gelombang {

/// Names the calling thread as `top -H`, `ps -L` and debuggers show it, so that an operator sees
/// which part of a node uses a core. @param name  of 15 bytes at most: Linux keeps no more
inline void name_this_thread(std::string name) {
  constexpr std::size_t kept_bytes = 15;
  name.resize(std::min(name.size(), kept_bytes));
  ::pthread_setname_np(::pthread_self(), name.c_str());
}

}  // namespace gelombang
