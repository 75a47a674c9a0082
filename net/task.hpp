#pragma once

#include <array>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <utility>

namespace gelombang::net {

/// Memory of coroutine frames, kept per thread: a handler's frame is taken and given back on the
/// same thread for every request, and malloc would be a tenth of a cheap request.
class frame_pool {
public:
  static void* take(std::size_t bytes) {
    auto kind = kind_of(bytes);
    if (kind >= kinds) return ::operator new(bytes);
    auto& list = mine().lists_[kind];
    if (list.first == nullptr) return ::operator new((kind + 1) * step_bytes);
    --list.size;
    return std::exchange(list.first, list.first->next);
  }

  static void give_back(void* memory, std::size_t bytes) noexcept {
    auto kind = kind_of(bytes);
    auto& pool = mine();
    if (kind >= kinds || pool.lists_[kind].size >= kept_max) return ::operator delete(memory);
    auto& list = pool.lists_[kind];
    list.first = new (memory) node{list.first};
    ++list.size;
  }

  frame_pool(const frame_pool&) = delete;
  frame_pool& operator=(const frame_pool&) = delete;

private:
  static constexpr std::size_t step_bytes = 128;
  static constexpr std::size_t kinds = 16;
  static constexpr std::size_t kept_max = 1024;

  struct node {
    node* next;
  };
  struct free_list {
    node* first = nullptr;
    std::size_t size = 0;
  };

  frame_pool() = default;
  ~frame_pool() {
    for (auto& list : lists_) {
      while (list.first != nullptr) ::operator delete(std::exchange(list.first, list.first->next));
    }
  }

  static frame_pool& mine() {
    thread_local frame_pool pool;
    return pool;
  }
  static std::size_t kind_of(std::size_t bytes) { return (bytes - 1) / step_bytes; }

  std::array<free_list, kinds> lists_{};
};

template <class T = void>
class task;

namespace detail {

struct promise_base {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr failure;

  struct final_awaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      return self.promise().continuation;
    }
    void await_resume() noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  final_awaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { failure = std::current_exception(); }

  static void* operator new(std::size_t bytes) { return frame_pool::take(bytes); }
  static void operator delete(void* memory, std::size_t bytes) noexcept {
    frame_pool::give_back(memory, bytes);
  }
};

template <class T>
struct promise : promise_base {
  std::optional<T> value;

  task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& given) {
    value.emplace(std::forward<U>(given));
  }
  T result() {
    if (failure) std::rethrow_exception(failure);
    return std::move(*value);
  }
};

template <>
struct promise<void> : promise_base {
  task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void result() {
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace detail

/// A coroutine that runs on one io thread. It starts when it is awaited (or by `start`), and its
/// frame goes with this object; that must not happen while somebody still holds a handle to resume
/// it, which is why every awaiter below is answered exactly once. Not thread-safe.
template <class T>
class [[nodiscard]] task {
public:
  using promise_type = detail::promise<T>;

  task() = default;
  explicit task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  task(task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  task& operator=(task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~task() {
    if (handle_) handle_.destroy();
  }

  /// Runs until the first suspension, so that a task which needs none is done afterwards.
  void start() {
    started_ = true;
    handle_.resume();
  }
  bool done() const { return handle_.done(); }

  auto operator co_await() noexcept {
    struct awaiter {
      std::coroutine_handle<promise_type> handle;
      bool started;

      // Run from here, not by a transfer from `await_suspend`: a loop over tasks that need not wait
      // must not deepen the stack, and compilers make transfers tail calls only when optimising.
      bool await_ready() const {
        if (!started) handle.resume();
        return handle.done();
      }
      void await_suspend(std::coroutine_handle<> waiting) noexcept {
        handle.promise().continuation = waiting;
      }
      T await_resume() { return handle.promise().result(); }
    };
    return awaiter{handle_, started_};
  }

  /// The outcome of a task that is done; throws what it threw.
  T result() { return handle_.promise().result(); }

private:
  std::coroutine_handle<promise_type> handle_;
  bool started_ = false;
};

namespace detail {

template <class T>
task<T> promise<T>::get_return_object() noexcept {
  return task<T>{std::coroutine_handle<promise<T>>::from_promise(*this)};
}
inline task<void> promise<void>::get_return_object() noexcept {
  return task<void>{std::coroutine_handle<promise<void>>::from_promise(*this)};
}

}  // namespace detail

/// Awaits something that answers through a callback:
///
///     auto answer = co_await callback<result<receipt>>([&](auto done) {
///       gateway.ask(applicant, command, deadline, done);
///     });
///
/// `done(value)` is called exactly once, on the io thread of the one who waits, either from within
/// the initiation or later; it is two words, copyable, and lives as long as the awaiting frame.
template <class T, class Initiate>
class callback_awaiter {
public:
  class completion {
  public:
    explicit completion(callback_awaiter& owner) : owner_(&owner) {}
    void operator()(T value) const { owner_->complete(std::move(value)); }

  private:
    callback_awaiter* owner_;
  };

  explicit callback_awaiter(Initiate initiate) : initiate_(std::move(initiate)) {}

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiting) {
    initiate_(completion{*this});
    if (value_) return false;
    waiting_ = waiting;
    return true;
  }
  T await_resume() { return std::move(*value_); }

private:
  void complete(T value) {
    value_.emplace(std::move(value));
    if (waiting_) waiting_.resume();
  }

  Initiate initiate_;
  std::optional<T> value_;
  std::coroutine_handle<> waiting_;
};

template <class T, class Initiate>
callback_awaiter<T, Initiate> callback(Initiate initiate) {
  return callback_awaiter<T, Initiate>(std::move(initiate));
}

}  // namespace gelombang::net
