# frozen_string_literal: true

# The address that feeds, the sitemap and search engines are told: the config var SITE_URL, or `url` of _config.yml.
Jekyll::Hooks.register :site, :after_init do |site|
  address = ENV["SITE_URL"].to_s.strip.chomp("/")
  next if address.empty?

  unless address.match?(%r{\Ahttps?://[^/\s?#]+\z})
    raise Jekyll::Errors::FatalException, "SITE_URL is #{address.inspect}: give scheme and host, as in https://blog.example.com"
  end
  site.config["url"] = address
end
