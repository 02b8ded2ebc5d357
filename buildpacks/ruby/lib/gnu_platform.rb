# frozen_string_literal: true

# Today's locks name binaries for each C library: "ffi (1.17.2-x86_64-linux-gnu)", "-musl". RubyGems knows these from 3.3.22
# on, and such gems ask for that; Debian's is 3.3.15. This adds what they ask for. Loaded by RUBYOPT while gems are installed;
# lib/plain_platforms.py turns the result into what Debian's RubyGems reads by itself.
module SkiffGnuPlatform
  def initialize(arch)
    super
    @version = "gnu" if arch.is_a?(String) && @os == "linux" && arch.end_with?("-linux-gnu")
  end

  def ===(other)
    return super unless other.is_a?(Gem::Platform) && @os == "linux" && other.os == "linux"

    @cpu == other.cpu && (@version || "gnu") == (other.version || "gnu")
  end
end

Gem::Platform.prepend(SkiffGnuPlatform)

def Gem.rubygems_version
  @skiff_rubygems_version ||= Gem::Version.new("3.3.22")
end
