#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "load-tests/engine/address.hpp"
#include "load-tests/engine/reactor.hpp"
#include "load-tests/replay/clerk.hpp"

namespace gelombang::load::replay {

/// Cuts answers out of what a connection brings, one behind the other.
struct scanned_answer {
  enum class progress : std::uint8_t { more, complete, malformed } found = progress::more;
  int status = 0;
  std::string_view body = {};
  std::size_t bytes = 0;  ///< of the whole answer
};
scanned_answer scan_answer(std::string_view text);

/// An errand under way.
struct under_way {
  errand what;
  time_point due;  ///< when it should have left
};

/// A kept connection on which several requests are under way, answered in their order. For its
/// reactor's thread.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): nobody derives from it
class pipe final : public ready_handler {
public:
  /// Who hears of answers, of losses, and of room for more.
  class owner {
  public:
    virtual void answered(under_way& one, int status, std::string_view body) = 0;
    virtual void lost(under_way& one) = 0;
    virtual void has_room(pipe& which) = 0;

  protected:
    ~owner() = default;
  };

  pipe(reactor& loop, owner& whose) : loop_(loop), owner_(whose) {}
  ~pipe() { close(); }
  pipe(const pipe&) = delete;
  pipe& operator=(const pipe&) = delete;

  /// @returns false when the kernel refuses at once.
  bool open(const sockaddr_in& to);
  bool is_open() const { return socket_ >= 0; }
  bool is_usable() const { return connected_; }
  /// Whatever is under way is lost.
  void give_up();

  /// Where the next request is written behind those before it; `added` says that it has been.
  std::string& text() { return out_; }
  void added(const under_way& one);
  /// Sends what has been added.
  void flush();

  const std::deque<under_way>& waiting() const { return waiting_; }
  /// For its owner: whether it stands in a list of his.
  bool is_listed = false;

  /// When it last heard something, or began to wait.
  time_point heard() const { return heard_; }

private:
  void ready(std::uint32_t events) override;
  bool receive();
  bool take_answers();
  void close();

  static constexpr std::size_t buffer_bytes = 64u << 10;

  reactor& loop_;
  owner& owner_;
  int socket_ = -1;
  bool connected_ = false;
  std::string out_;
  std::size_t sent_ = 0;  ///< of `out_`
  std::string in_ = std::string(buffer_bytes, '\0');
  std::size_t filled_ = 0;
  std::deque<under_way> waiting_;
  time_point heard_;
};

}  // namespace gelombang::load::replay
