#pragma once

#include <coroutine>
#include <exception>

#include "net/task.hpp"

namespace gelombang::load {

/// A coroutine that nobody waits for: it runs at once, and its frame goes when it ends. An
/// exception ends the program: there is nobody to tell.
struct detached {
  struct promise_type {
    detached get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }

    static void* operator new(std::size_t bytes) { return net::frame_pool::take(bytes); }
    static void operator delete(void* memory, std::size_t bytes) noexcept {
      net::frame_pool::give_back(memory, bytes);
    }
  };
};

}  // namespace gelombang::load
