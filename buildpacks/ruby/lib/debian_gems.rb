# frozen_string_literal: true

# debian_gems.rb LOCK FOLDER [ROOT]: writes into FOLDER a .gem for each gem of the Gemfile.lock LOCK that Debian's packages
# brought in that very version, for Bundler to install like one from a cache. "-" instead of a LOCK means all gems of Debian.
# ROOT is where that Debian lies, when it is not the system itself.
#
# Debian lays a gem's files out for the whole system: which ones are its own, its package's list says. One whose code loads
# libraries that a dyno lacks is left to Bundler, which compiles it with those of an Aptfile.
require "fileutils"
require "rubygems/package"
require "set"
require "tmpdir"

ROOT = ARGV[2].to_s
LISTS = "/var/lib/dpkg/info"
LIBRARIES = [%r{\A/usr/lib/ruby/vendor_ruby/(.+)}, %r{\A/usr/lib/[^/]+/ruby/vendor_ruby/3[.0-9]+/(.+)},
             %r{\A/usr/lib/[^/]+/rubygems-integration/[.0-9]+/extensions/[^/]+/[^/]+/[^/]+/(.+\.so)}].freeze

# The names of the libraries where the app runs, as the stack and its layer for Ruby tell; nil where that is not known.
def run_libraries
  states = ["/var/lib/dpkg/status-run", "/usr/share/skiff/layers/ruby/status-run"].select { |path| ROOT.empty? && File.file?(path) }
  return nil if states.empty?

  packages = states.flat_map { |path| File.read(path).scan(/^Package: (\S+)/).flatten }
  lists = packages.flat_map { |name| Dir["#{LISTS}/#{name}.list", "#{LISTS}/#{name}:*.list"] }
  lists.flat_map { |list| File.readlines(list, chomp: true).grep(/\.so(\.|\z)/).map { |path| File.basename(path) } }.to_set
end

def runs?(files, libraries)
  return true unless libraries

  files.grep(/\.so\z/).select { |file| File.file?(file) }.all? do |file|
    IO.popen(["readelf", "-d", file], &:read).scan(/\(NEEDED\).*\[(.+)\]/).flatten.all? { |name| libraries.include?(name) }
  end
end

# The files of each package that has a gem's specification, by that specification's path.
def packages
  Dir["#{ROOT}#{LISTS}/*.list"].each_with_object({}) do |list, found|
    files = File.readlines(list, chomp: true)
    files.grep(%r{/specifications/[^/]+\.gemspec\z}) { |spec| found[spec] = files }
  end
end

# Where a file of the system lies in the gem; nil when it is none of it.
def place(file, spec)
  file.match(%r{\A/usr/[^ ]+/gems/#{Regexp.escape(spec.full_name)}/(.+)}) { |found| return found[1] }

  LIBRARIES.each { |pattern| file.match(pattern) { |found| return "lib/#{found[1]}" } }
  file.match(%r{\A/usr/bin/(.+)}) { |found| spec.executables.include?(found[1]) ? "#{spec.bindir}/#{found[1]}" : nil }
end

def copy_files(spec, files, folder)
  files.sort.filter_map do |file|
    next unless File.file?(ROOT + file)

    name = place(file, spec)
    next unless name

    FileUtils.mkdir_p(File.dirname(File.join(folder, name)))
    FileUtils.cp(ROOT + file, File.join(folder, name))
    name
  end
end

# Compiled code is among the files: nothing is built when it is installed.
def clean(spec, names)
  copy = spec.dup
  copy.loaded_from = nil
  copy.files = names
  copy.extensions = []
  copy.require_paths = (copy.require_paths.select { |path| names.any? { |name| name.start_with?("#{path}/") } } | ["lib"])
  copy.executables = spec.executables.select { |name| names.include?("#{spec.bindir}/#{name}") }
  copy.test_files = copy.extra_rdoc_files = []
  copy.authors = ["Debian"] if copy.authors.to_a.empty?
  copy.summary ||= copy.name
  copy
end

def pack(spec, files, target)
  Dir.mktmpdir do |folder|
    names = copy_files(spec, files, folder)
    Dir.chdir(folder) do
      Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) do
        FileUtils.mv(Gem::Package.build(clean(spec, names), true), target)
      end
    end
  end
end

def wanted(lock)
  return nil if lock == "-"

  File.read(lock).scan(/^ {4}(\S+) \(([^)]+)\)/).map { |name, version| "#{name}-#{version}" }.to_set
end

lock, target, = ARGV
target = File.expand_path(target)
FileUtils.mkdir_p(target)
names = wanted(lock)
libraries = run_libraries
packages.each do |path, files|
  full_name = File.basename(path, ".gemspec")
  next if (names && !names.include?(full_name)) || !runs?(files, libraries)

  spec = Gem::Specification.load(ROOT + path)
  pack(spec, files, target) if spec
end
