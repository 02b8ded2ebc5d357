#include "cli/command_line.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

namespace skiff::cli {

namespace {

constexpr int kMostLines = 1500;  // what the platform keeps of an app's log
constexpr int kUsageError = 2;    // exit code
constexpr const char* kRemote = "skiff";
constexpr int kMostPlaces = 100;  // of a list of buildpacks; the platform takes fewer
constexpr const char* kBuildpackHelp =
    "a name such as heroku/go, or the https address of a git repository (with #branch) or archive";

// What the options of all commands are parsed into.
struct Arguments {
  std::string app, name, confirm;
  std::string remote = kRemote;
  bool no_remote = false, json = false, shell = false;
  std::vector<std::string> words;
  std::string buildpack;
  int index = 0;  // of a list, from 1; 0: not given
  DynoChoice dynos;
  LogRequest logs;
  bool tail = false;
};
using Shared = std::shared_ptr<Arguments>;
using AboutApp = std::function<Done(CommandContext&, Arguments)>;

Format format_of(const Arguments& arguments) {
  return arguments.json ? Format::kJson : arguments.shell ? Format::kShell : Format::kPeople;
}

Done run_about_app(CommandContext& context, Arguments arguments, AboutApp command) {
  if (arguments.app.empty()) {
    auto found = co_await find_app(context, arguments.remote);
    SKIFF_CO_RETURN_IF_ERROR(found);
    arguments.app = *found;
  }
  auto done = co_await command(context, std::move(arguments));
  co_return done;
}

class Adder {
 public:
  Adder(CLI::App& root, const Runner& run)
      : root_(root), run_(run), arguments_(std::make_shared<Arguments>()) {}

  // The heading in the help of what is added next.
  void set_group(const std::string& group) { group_ = group; }

  CLI::App* add(const std::string& name, const std::string& help, AboutApp command) {
    // The parser takes no colon in a name that it makes, but in one that it is given.
    CLI::App* added = root_.add_subcommand("", help)->name(name)->group(group_);
    added->callback([run = run_, arguments = arguments_, command = std::move(command)] {
      run([arguments, command](CommandContext& context) { return command(context, *arguments); });
    });
    return added;
  }
  CLI::App* add_about_app(const std::string& name, const std::string& help, AboutApp command) {
    CLI::App* added = add(name, help, [command](CommandContext& context, Arguments arguments) {
      return run_about_app(context, std::move(arguments), command);
    });
    added->add_option("-a,--app", arguments_->app, "The app (default: that of the git remote \"skiff\")")
        ->type_name("NAME");
    add_remote(added, "The git remote whose app it is");
    return added;
  }
  void add_remote(CLI::App* command, const std::string& help) {
    command->add_option("-r,--remote", arguments_->remote, help + " (default: skiff)")->type_name("NAME");
  }
  void add_formats(CLI::App* command) {
    CLI::Option* as_json = command->add_flag("-j,--json", arguments_->json, "Print JSON");
    command->add_flag("-s,--shell", arguments_->shell, "Print what a shell reads: NAME='value'")
        ->excludes(as_json);
  }
  Arguments& arguments() { return *arguments_; }

 private:
  CLI::App& root_;
  Runner run_;
  Shared arguments_;
  std::string group_;
};

void add_apps(Adder& adder) {
  adder.set_group("Apps");
  Arguments& a = adder.arguments();
  CLI::App* create =
      adder.add("create", "Create an app and a git remote for it", [](CommandContext& c, Arguments given) {
        return create_app(c, given.name, given.no_remote ? std::nullopt : std::optional(given.remote),
                          given.buildpack);
      });
  create->alias("apps:create")
      ->add_option(
          "name", a.name,
          "the app's name: small letters, digits, dashes; 3 to 30 characters (default: one is made up)");
  adder.add_remote(create, "Name of the git remote that is made; one that is there stays");
  create->add_flag("--no-remote", a.no_remote, "Make no git remote");
  create->add_option("-b,--buildpack", a.buildpack, "The buildpack that builds it (default: the push tells)")
      ->type_name("NAME");
  adder.add_about_app(
      "git:remote", "Add the git remote of an app to the repository of this folder",
      [](CommandContext& c, Arguments given) { return add_git_remote(c, given.app, given.remote); });
  CLI::App* info = adder.add_about_app(
      "apps:info", "Show what is known of an app",
      [](CommandContext& c, Arguments given) { return show_app(c, given.app, format_of(given)); });
  adder.add_formats(info->alias("info"));
  adder
      .add_about_app("open", "Open the app in the browser; without a desktop, print its address",
                     [](CommandContext& c, Arguments given) { return open_app(c, given.app, given.name); })
      ->alias("apps:open")
      ->add_option("path", a.name, "what to open of it, such as /about");
  adder
      .add_about_app("apps:rename", "Give an app another name",
                     [](CommandContext& c, Arguments given) { return rename_app(c, given.app, given.name); })
      ->alias("rename")
      ->add_option("name", a.name, "the new name: small letters, digits, dashes; 3 to 30 characters")
      ->required();
  adder.add("apps", "List the apps", [](CommandContext& c, Arguments) { return list_apps(c); });
  adder
      .add_about_app(
          "apps:destroy", "Destroy an app and all of its data",
          [](CommandContext& c, Arguments given) { return destroy_app(c, given.app, given.confirm); })
      ->alias("destroy")
      ->add_option("--confirm", a.confirm, "The app's name once more")
      ->type_name("NAME");
  adder.add_about_app(
      "maintenance:on", "Show visitors the maintenance page",
      [](CommandContext& c, Arguments given) { return set_maintenance(c, given.app, Maintenance::kOn); });
  adder.add_about_app("maintenance:off", "Serve visitors again", [](CommandContext& c, Arguments given) {
    return set_maintenance(c, given.app, Maintenance::kOff);
  });
}

void add_logs(Adder& adder) {
  Arguments& a = adder.arguments();
  CLI::App* logs = adder.add_about_app("logs", "Show the log", [](CommandContext& c, Arguments given) {
    given.logs.tail = given.tail ? LogRequest::Tail::kYes : LogRequest::Tail::kNo;
    return show_logs(c, given.app, given.logs);
  });
  logs->add_flag("-t,--tail", a.tail, "Follow the log, also across restarts of the platform");
  logs->add_option("-n,--num", a.logs.lines,
                   fmt::format("How many lines, at most {} (default: 100)", kMostLines))
      ->type_name("COUNT")
      ->check(CLI::Range(0, kMostLines).description(""));
  logs->add_option("-s,--source", a.logs.source,
                   "Only lines of the app (app), or of the platform and router (heroku)")
      ->type_name("SOURCE")
      ->check(CLI::IsMember({"app", "heroku"}).description(""));
  logs->add_option("-d,--dyno,--dyno-name,--ps", a.logs.dyno,
                   "Only lines of a dyno (web.1), a type (web), or router")
      ->type_name("NAME");
}

void add_dynos(Adder& adder) {
  adder.set_group("Dynos");
  Arguments& a = adder.arguments();
  adder
      .add_about_app("scale", "Set how many dynos of a type run; alone, show it",
                     [](CommandContext& c, Arguments given) { return scale(c, given.app, given.words); })
      ->alias("ps:scale")
      ->add_option("changes", a.words, "process types and counts, as in web=2 worker+1 clock-1");
  adder.add_about_app("ps", "List the dynos",
                      [](CommandContext& c, Arguments given) { return list_dynos(c, given.app); });
  const auto add_choice = [&a](CLI::App* command, const std::string& help) {
    command->add_option("dyno", a.dynos.dyno, help);
    CLI::Option* dyno = command->add_option("-d,--dyno-name", a.dynos.dyno, "A dyno, such as web.1");
    command->add_option("-p,--process-type", a.dynos.type, "All dynos of a process type, such as web")
        ->type_name("NAME")
        ->excludes(dyno->type_name("NAME"));
  };
  add_choice(adder
                 .add_about_app("ps:restart", "Restart dynos",
                                [](CommandContext& c, Arguments given) {
                                  return restart_dynos(c, given.app, given.dynos);
                                })
                 ->alias("restart"),
             "a dyno (web.1) or a process type (web); all without it, while the others serve");
  add_choice(adder
                 .add_about_app(
                     "ps:stop", "End dynos; others take their places, until they are scaled to 0",
                     [](CommandContext& c, Arguments given) { return stop_dynos(c, given.app, given.dynos); })
                 ->alias("stop")
                 ->alias("ps:kill")
                 ->alias("kill"),
             "a dyno (web.1) or a process type (web)");
  add_logs(adder);
}

void add_releases(Adder& adder) {
  adder.set_group("Config and releases");
  Arguments& a = adder.arguments();
  adder.add_formats(adder.add_about_app(
      "config", "Show the config vars",
      [](CommandContext& c, Arguments given) { return show_config(c, given.app, format_of(given)); }));
  adder
      .add_about_app("config:get", "Print the value of one config var",
                     [](CommandContext& c, Arguments given) { return get_config(c, given.app, given.name); })
      ->add_option("name", a.name, "the name of a config var")
      ->required();
  adder
      .add_about_app("config:set", "Set config vars in a new release",
                     [](CommandContext& c, Arguments given) { return set_config(c, given.app, given.words); })
      ->add_option("pairs", a.words, "names and values: NAME=value")
      ->required();
  adder
      .add_about_app(
          "config:unset", "Remove config vars in a new release",
          [](CommandContext& c, Arguments given) { return unset_config(c, given.app, given.words); })
      ->add_option("names", a.words, "the names of config vars")
      ->required();
  adder.add_about_app("releases", "List the releases",
                      [](CommandContext& c, Arguments given) { return list_releases(c, given.app); });
  CLI::App* info = adder.add_about_app("releases:info", "Show what is known of a release",
                                       [](CommandContext& c, Arguments given) {
                                         return show_release(c, given.app, given.name, format_of(given));
                                       });
  info->add_option("version", a.name, "the release, as in v3 (default: the one that should run)");
  adder.add_formats(info);
  adder
      .add_about_app("rollback", "Release an earlier version again",
                     [](CommandContext& c, Arguments given) { return rollback(c, given.app, given.name); })
      ->alias("releases:rollback")
      ->add_option("version", a.name, "the release, as in v3 (default: the last one before that came up)");
}

void add_buildpacks(Adder& adder) {
  adder.set_group("Buildpacks and builds");
  Arguments& a = adder.arguments();
  const auto add_index = [&a](CLI::App* command, const std::string& help) {
    command->add_option("-i,--index", a.index, help)
        ->type_name("PLACE")
        ->check(CLI::Range(1, kMostPlaces).description(""));
  };
  const auto add_json = [&a](CLI::App* command) {
    command->add_flag("-j,--json", a.json, "Print JSON");
    return command;
  };
  add_json(adder.add_about_app(
      "buildpacks", "List the buildpacks that build the app",
      [](CommandContext& c, Arguments given) { return list_buildpacks(c, given.app, format_of(given)); }));
  CLI::App* set = adder.add_about_app("buildpacks:set", "Set the buildpack that the next push uses",
                                      [](CommandContext& c, Arguments given) {
                                        return place_buildpack(c, given.app, given.buildpack, given.index,
                                                               Placing::kReplace, format_of(given));
                                      });
  set->add_option("buildpack", a.buildpack, kBuildpackHelp)->required();
  add_index(set, "Which one of the list it replaces (default: the first)");
  CLI::App* add = adder.add_about_app(
      "buildpacks:add", "Add a buildpack to those of the app", [](CommandContext& c, Arguments given) {
        return place_buildpack(c, given.app, given.buildpack, given.index, Placing::kAdd, format_of(given));
      });
  add->add_option("buildpack", a.buildpack, kBuildpackHelp)->required();
  add_index(add, "Where in the list it stands (default: at the end)");
  CLI::App* remove = adder.add_about_app(
      "buildpacks:remove", "Remove one of the app's buildpacks", [](CommandContext& c, Arguments given) {
        return remove_buildpack(c, given.app, given.buildpack, given.index, format_of(given));
      });
  remove->add_option("buildpack", a.buildpack, "the buildpack, as `skiff buildpacks` lists it");
  add_index(remove, "Its place in the list, instead of its name");
  CLI::App* clear = adder.add_about_app(
      "buildpacks:clear", "Remove all buildpacks: the next push tells",
      [](CommandContext& c, Arguments given) { return clear_buildpacks(c, given.app, format_of(given)); });
  for (CLI::App* command : {set, add, remove, clear}) add_json(command);
  adder.add_about_app("builds", "List the builds",
                      [](CommandContext& c, Arguments given) { return list_builds(c, given.app); });
  adder
      .add_about_app(
          "builds:info", "Show how long the parts of a build took, and what its buildpacks report",
          [](CommandContext& c, Arguments given) { return show_build_details(c, given.app, given.name); })
      ->add_option("id", a.name, "the id of a build, as `skiff builds` lists it")
      ->required();
  adder
      .add_about_app("builds:output", "Show what a build put out",
                     [](CommandContext& c, Arguments given) { return show_build(c, given.app, given.name); })
      ->add_option("id", a.name, "the id of a build, as `skiff builds` lists it")
      ->required();
  adder.add_about_app("builds:cache:purge",
                      "Empty the cache that builds keep: the next one starts from nothing",
                      [](CommandContext& c, Arguments given) { return purge_build_cache(c, given.app); });
}

std::string no_such_command(const CLI::App& root, const std::string& word) {
  std::vector<std::string> commands = {"help"};
  for (const CLI::App* command : root.get_subcommands({})) {
    if (command->get_group().empty()) continue;  // for the program itself
    commands.push_back(command->get_name());
    commands.insert(commands.end(), command->get_aliases().begin(), command->get_aliases().end());
  }
  const std::string near = nearest_command(word, commands);
  const std::string see = near.empty() ? "; see" : fmt::format("; did you mean \"{}\"? See", near);
  return fmt::format("there is no command \"{}\"{} `skiff --help`", word, see);
}

// The parser says one word of a missing argument; its help text says what is meant.
std::string describe_missing(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_required() && option->count() == 0) {
      return fmt::format("{} needs {}", command.get_name(), option->get_description());
    }
  }
  return "a command is missing";
}

std::string explain(const CLI::App& root, const CLI::ParseError& error) {
  const auto chosen = root.get_subcommands();
  const auto unused = root.remaining(true);
  if (chosen.empty() && !unused.empty() && !unused[0].starts_with('-'))
    return no_such_command(root, unused[0]);
  const CLI::App& command = chosen.empty() ? root : *chosen[0];
  std::string wrong = error.what();
  if (!unused.empty()) {
    wrong = fmt::format("\"{}\" was not expected", unused[0]);
  } else if (error.get_name() == "RequiredError") {
    wrong = describe_missing(command);
  }
  return fmt::format("{}; see `skiff {}{}--help`", wrong, chosen.empty() ? "" : command.get_name(),
                     chosen.empty() ? "" : " ");
}

}  // namespace

void add_app_commands(CLI::App& root, const Runner& run) {
  Adder adder(root, run);
  add_apps(adder);
  add_dynos(adder);
  add_releases(adder);
  add_buildpacks(adder);
  // Last: commands take over the footer that is there when they are added.
  root.footer("`skiff help COMMAND` tells more about one.");
}

int parse_command_line(CLI::App& root, int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == "help") {
    words.erase(words.begin());
    words.push_back("--help");
  }
  std::reverse(words.begin(), words.end());  // as the parser takes them
  try {
    root.parse(words);
  } catch (const CLI::ParseError& error) {
    const bool asks_help = error.get_exit_code() == 0;
    // The help of a command that is none would be that of the program.
    const bool misnamed = root.get_subcommands().empty() && root.remaining_size() > 0;
    if (asks_help && !misnamed) return root.exit(error);
    fmt::print(stderr, "skiff: {}\n", explain(root, error));
    return kUsageError;
  }
  return 0;
}

}  // namespace skiff::cli
