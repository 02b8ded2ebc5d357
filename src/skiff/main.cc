// The skiff command: `up`, `down`, the roles, and the commands about apps.
#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>

#include "base/log.h"
#include "cli/command_line.h"
#include "cli/printable.h"
#include "io/inherited.h"
#include "io/pulse.h"
#include "io/sync.h"
#include "skiff/instance.h"
#include "skiff/remove.h"
#include "skiff/roles.h"
#include "skiff/stack_commands.h"
#include "skiff/up.h"

namespace {

using namespace skiff;

// What the options about the instance are parsed into.
struct Arguments {
  std::string data;
  std::string role;
  pid_t supervisor = 0;              // of a role; 0: it runs alone
  std::vector<std::string> sockets;  // that a role inherits
  int pulses = -1;                   // where a role shows that its loops turn; -1: to nobody
  UpOptions up;
  bool detach = false;
  bool leftovers = false;
};

int finish(const Result<void>& outcome) {
  if (outcome) return 0;
  fmt::print(stderr, "skiff: {}\n", cli::printable(outcome.error().message));
  return 1;
}

void print_out(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// A person's terminal gets answers and errors, not what the libraries below log.
void say_answers_only() {
  set_log_level(LogLevel::kError);
}

int run_app_command(const Arguments& arguments, const cli::AppCommand& command) {
  say_answers_only();
  auto instance = open_instance(arguments.data);
  if (!instance) return finish(std::unexpected(instance.error()));
  auto token = instance->token();
  if (!token) return finish(std::unexpected(token.error()));
  auto loop = io::make_epoll_loop(1);
  auto network = io::make_socket_network(*loop);
  cli::PlatformClient platform(*loop, *network,
                               {io::Address::tcp("127.0.0.1", instance->ports.http), *token});
  const std::string port = instance->ports.http == 80 ? "" : fmt::format(":{}", instance->ports.http);
  cli::CommandContext context{platform,
                              {[](std::string_view text) { print_out(cli::printable(text)); }, print_out,
                               [](std::string_view text) { fmt::print(stderr, "{}", cli::printable(text)); }},
                              "http://localhost" + port,
                              instance->domain,
                              instance->path("token"),
                              *loop};
  return finish(io::block_on(*loop, command(context)));
}

int run_role(const Arguments& arguments) {
  auto instance = open_instance(arguments.data);
  if (!instance) return finish(std::unexpected(instance.error()));
  const auto run = arguments.role == "control"    ? run_control
                   : arguments.role == "node"     ? run_node
                   : arguments.role == "edge"     ? run_edge
                   : arguments.role == "platform" ? run_platform
                                                  : nullptr;
  if (!run) return finish(fail(Code::kInvalidArgument, "there is no role \"" + arguments.role + "\""));
  // A role does not outlive its supervisor.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  // One that died before that sends nothing any more.
  if (arguments.supervisor != 0 && ::getppid() != arguments.supervisor) return 0;
  io::InheritedSockets sockets;
  for (const auto& text : arguments.sockets) {
    if (auto added = sockets.add(text); !added) return finish(added);
  }
  if (arguments.pulses >= 0) {
    if (auto attached = io::attach_pulses(arguments.pulses); !attached) {
      log_warn("nobody watches this role", {{"error", attached.error().message}});
    }
  }
  return finish(run(*instance, std::move(sockets)));
}

int print_kubeconfig(const Arguments& arguments) {
  auto instance = open_instance(arguments.data);
  if (!instance) return finish(std::unexpected(instance.error()));
  fmt::print("{}\n", instance->path("kubeconfig"));
  return 0;
}

// What is written and printed of the directory (git's credential helper, the kubeconfig's path) is used from
// other folders.
std::string absolute(const std::string& path) {
  std::error_code error;
  return cli::absolute_path(path, std::filesystem::current_path(error).string());
}

const CLI::Validator kDirectory(
    [](std::string& given) -> std::string {
      if (given.empty()) return "a directory's name can't be empty";
      given = absolute(given);
      return "";
    },
    "");

void add_data(CLI::App* command, Arguments& arguments) {
  command
      ->add_option("--data", arguments.data,
                   "The instance's directory (default: SKIFF_DATA or /var/lib/skiff)")
      ->type_name("DIR")
      ->transform(kDirectory);
}

const CLI::Validator kPorts = CLI::Range(1, 65534).description("");

void add_edge_options(CLI::App& up_command, InstanceRequest& request) {
  up_command
      .add_option_function<std::string>(
          "--trusted-proxies", [&](const std::string& text) { request.trusted_proxies = text; },
          "Networks of proxies in front whose X-Forwarded-* and Forwarded are believed (default: none)")
      ->type_name("CIDR,...");
  up_command.add_flag_callback(
      "--proxy-protocol", [&] { request.proxy_protocol = true; },
      "The trusted proxies begin each connection with the PROXY protocol (default: they do not)");
  up_command.add_flag_callback(
      "--no-proxy-protocol", [&] { request.proxy_protocol = false; }, "Takes --proxy-protocol back");
  up_command
      .add_option_function<std::string>(
          "--allow-backends", [&](const std::string& text) { request.allowed_backends = text; },
          "Addresses besides pods that Ingresses may lead to (default: none)")
      ->type_name("IP:PORT,...");
}

void add_pod_options(CLI::App& up_command, InstanceRequest& request) {
  up_command
      .add_option_function<std::string>(
          "--pod-egress",
          [&](const std::string& text) {
            request.pod_egress = text == "open" ? node::PodEgress::kOpen : node::PodEgress::kRestricted;
          },
          "What pods reach of this machine: restricted (the edge, the Kubernetes API, cluster addresses) or "
          "open (all ports, and "
          "169.254.0.0/16) (default: restricted)")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"restricted", "open"}).description(""));
}

void add_instance_commands(CLI::App& root, Arguments& a, int& code) {
  CLI::App* up_command = root.add_subcommand("up", "Start the instance; the first start makes it");
  up_command->footer("Needs root. What is given is kept: later starts need only --data.");
  up_command
      ->add_option("--domain", a.up.request.domain, "Apps are served at <app>.<domain> (default: localhost)")
      ->type_name("NAME");
  Ports& ports = a.up.request.ports;
  up_command->add_option("--http-port", ports.http, "Port of apps over HTTP (default: 80)")
      ->type_name("PORT")
      ->check(kPorts);
  up_command->add_option("--https-port", ports.https, "Port of apps over HTTPS (default: 443)")
      ->type_name("PORT")
      ->check(kPorts);
  up_command
      ->add_option("--kube-port", ports.kube,
                   "Port of the Kubernetes API; the next one is taken too, on loopback (default: 6443)")
      ->type_name("PORT")
      ->check(kPorts);
  add_edge_options(*up_command, a.up.request);
  add_pod_options(*up_command, a.up.request);
  up_command->add_flag("--detach", a.detach, "Return when the instance is ready (default: run until Ctrl-C)");
  up_command->callback([&a, &code] {
    a.up.request.data = a.data;
    a.up.foreground = a.detach ? Foreground::kNo : Foreground::kYes;
    code = finish(up(a.up));
  });
  CLI::App* down_command = root.add_subcommand("down", "Stop the instance; `up` brings everything back");
  down_command->callback([&a, &code] {
    say_answers_only();
    code = finish(down(a.data));
  });
  CLI::App* remove_command = root.add_subcommand(
      "remove", "Take a stopped instance's containers and networks off this machine; its data stays");
  remove_command->add_flag("--leftovers", a.leftovers,
                           "Instead, take off what instances have left whose data directory is gone");
  remove_command->callback([&a, &code] {
    say_answers_only();
    code = finish(a.leftovers ? remove_leftovers() : skiff::remove(a.data));
  });
  CLI::App* update_command =
      root.add_subcommand("", "Make the stack and its layers anew from today's Debian packages")
          ->name("stack:update");
  update_command->footer(
      "Says which packages changed. The next push of an app uses them; apps stay as they are until then.\n"
      "Needs root and the network; the instance may be up or down.");
  update_command->callback([&a, &code] {
    say_answers_only();
    code = finish(update_stack(a.data));
  });
  CLI::App* config = root.add_subcommand(
      "kubeconfig", "Print the path of the kubeconfig: export KUBECONFIG=$(skiff kubeconfig)");
  config->callback([&a, &code] { code = print_kubeconfig(a); });
  for (CLI::App* command : root.get_subcommands({})) command->group("Instance");
  CLI::App* role = root.add_subcommand("role", "Run one role (started by `up`)")->group("");
  role->add_option("role", a.role, "the name of a role")->required();
  role->add_option("--supervisor", a.supervisor, "Process that this role ends with");
  role->add_option("--socket", a.sockets, "Descriptor and address of a listening socket to serve");
  role->add_option("--pulses", a.pulses, "Descriptor of the page that shows the supervisor how loops turn");
  role->callback([&a, &code] { code = run_role(a); });
}

void set_up_help(CLI::App& root) {
  root.set_version_flag("--version", SKIFF_VERSION, "Print the version");
  root.get_formatter()->label("SUBCOMMAND", "COMMAND");
  root.get_formatter()->label("Positionals", "Arguments");
  // The usage shows what may be left out, and the texts say what is meant.
  root.get_formatter()->label("TEXT", "");
  root.get_formatter()->label("REQUIRED", "");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App root("Skiff: the Heroku you own", "skiff");
  root.require_subcommand(1);
  set_up_help(root);
  Arguments arguments;
  arguments.data = absolute(default_data_directory());
  int code = 0;
  add_instance_commands(root, arguments, code);
  cli::add_app_commands(root, [&code, &arguments](const cli::AppCommand& command) {
    code = run_app_command(arguments, command);
  });
  add_data(&root, arguments);
  for (CLI::App* command : root.get_subcommands({})) add_data(command, arguments);
  if (const int wrong = cli::parse_command_line(root, argc, argv)) return wrong;
  return code;
}
