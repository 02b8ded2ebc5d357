# frozen_string_literal: true

# `ruby file: ".ruby-version"` in a Gemfile is known to Bundler from 2.4.19 on; the one that is here takes what the file
# says, which lib/versions.py has checked. Loaded by RUBYOPT where a Gemfile has such a line.
module SkiffRubyFile
  def ruby(*versions)
    options = versions.last.is_a?(Hash) ? versions.pop : {}
    file = options.delete(:file) || options.delete("file")
    if file
      word = File.read(File.expand_path(file, Bundler.root.to_s))[/(?:ruby[- \t]+)?(\d+(?:\.\d+)*)/, 1]
      versions = [word] if word
    end
    super(*versions, **options.transform_keys(&:to_sym))
  end
end

# Bundler is loaded after this.
TracePoint.new(:end) do |point|
  if defined?(Bundler::RubyDsl) && point.self == Bundler::RubyDsl
    Bundler::RubyDsl.prepend(SkiffRubyFile)
    point.disable rescue nil
  end
end.enable
