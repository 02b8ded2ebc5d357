// Serves container logs to the API server: GET
// /containerLogs/<namespace>/<pod>/<container>?follow=true&tailLines=10…
//
// Speaks plain HTTP on a unix socket or a loopback port; a bearer token proves the API server. Other paths
// answer 404: exec, attach, port-forward and stats will live beside this one.
#pragma once

#include <functional>
#include <string>

#include "net/http_server.h"
#include "node/logs/cri.h"
#include "node/logs/folder_watch.h"

namespace skiff::node {

// A container whose log is asked for.
struct LogTarget {
  std::string path;               // of the current file
  std::function<bool()> running;  // whether more may come
};
// NotFound: no such pod or container; InvalidArgument: nothing to read yet, with kubectl's text.
using LogLookup = std::function<Result<LogTarget>(const std::string& name_space, const std::string& pod,
                                                  const std::string& container, bool previous)>;

class LogServer {
 public:
  LogServer(io::Loop& loop, std::string token, LogLookup lookup)
      : loop_(loop), token_(std::move(token)), lookup_(std::move(lookup)), watches_(loop) {}
  // Begins to listen.
  Result<void> listen(io::Network& network, const io::Address& address);
  const io::Address& address() const { return server_->address(); }
  // The handler, for tests and other servers.
  io::Task<void> handle(const net::Request& request, net::ResponseWriter& writer);

 private:
  io::Task<void> stream(LogTarget target, LogQuery query, net::ResponseWriter& writer);
  io::Loop& loop_;
  std::string token_;
  LogLookup lookup_;
  FolderWatches watches_;  // of all followers
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace skiff::node
