#include "net/programme/backups.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "storage/thread_name.hpp"

namespace gelombang::net {

bool backups::start(std::string target, boost::asio::io_context& asker, made done) {
  std::lock_guard lock{mutex_};
  if (busy_ || stopping_.stop_requested()) return false;
  // The copy before has said that it is done: its thread is about to end.
  if (thread_.joinable()) thread_.join();
  busy_ = true;
  thread_ = std::thread{[this, target = std::move(target), &asker, done = std::move(done)] {
    name_this_thread("backup");
    auto finished = make_(target, stopping_.get_token());
    {
      std::lock_guard ended{mutex_};
      busy_ = false;
    }
    boost::asio::post(asker, [done, finished = std::move(finished)] { done(finished); });
  }};
  return true;
}

void backups::interrupt() {
  std::lock_guard lock{mutex_};
  stopping_.request_stop();
}

void backups::stop() {
  interrupt();
  std::thread last;
  {
    std::lock_guard lock{mutex_};
    last.swap(thread_);
  }
  if (last.joinable()) last.join();
}

}  // namespace gelombang::net
