#pragma once

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace gelombang::testing {

/// What is logged while it lives.
class log_capture {
public:
  log_capture() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("captured", sink_));
  }
  log_capture(const log_capture&) = delete;
  log_capture& operator=(const log_capture&) = delete;
  ~log_capture() { spdlog::set_default_logger(before_); }

  int lines_with(std::string_view words) const { return sink_->lines_with(words); }

private:
  class lines final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    int lines_with(std::string_view words) {
      std::lock_guard lock{mutex_};
      return static_cast<int>(std::count_if(kept_.begin(), kept_.end(), [&](const auto& line) {
        return line.find(words) != std::string::npos;
      }));
    }

  protected:
    void sink_it_(const spdlog::details::log_msg& what) override {
      kept_.emplace_back(what.payload.data(), what.payload.size());
    }
    void flush_() override {}

  private:
    std::vector<std::string> kept_;
  };

  std::shared_ptr<lines> sink_ = std::make_shared<lines>();
  std::shared_ptr<spdlog::logger> before_;
};

}  // namespace gelombang::testing
