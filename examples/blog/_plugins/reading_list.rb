# frozen_string_literal: true

require "cgi"
require "fileutils"
require "json"
require "net/http"
require "rexml/document"
require "timeout"
require "uri"

module Blog
  # Brings the reading list from the address in the config var READING_LIST_URL: JSON (a list, or a JSON Feed), RSS or Atom.
  # Templates find it as site.data.reading_list; there is a page /reading/ when it has entries.
  # Nothing that the other side does fails a build or holds it for long: then the last good copy is used, or the list left out.
  class ReadingList < Jekyll::Generator
    safe true
    priority :high

    def generate(site)
      address = ENV["READING_LIST_URL"].to_s.strip
      return if address.empty?

      items = Copy.new(site.in_source_dir(".jekyll-cache/reading-list.json"), address).newest
      return if items.empty?

      site.data["reading_list"] = items
      site.pages << page(site)
    end

    private

    def page(site)
      Jekyll::PageWithoutAFile.new(site, site.source, "reading", "index.html").tap do |page|
        page.data.merge!("layout" => "reading", "title" => "Reading", "description" => "What the people behind this blog read.")
      end
    end

    # The last good list of an address, kept between builds.
    class Copy
      def initialize(path, address)
        @path, @address = path, address
      end

      def newest
        kept = read
        answer = Fetch.new(@address, kept["etag"]).answer
        return kept["items"] || [] if answer == :unchanged

        items = Entries.parse(answer[:body])
        write("address" => @address, "etag" => answer[:etag], "items" => items)
        items
      rescue StandardError => e
        instead = kept["items"] ? "the copy of an earlier build is used" : "the list is left out"
        Jekyll.logger.warn "Reading list:", "#{reason(e)}; #{instead}"
        kept["items"] || []
      end

      private

      def reason(error)
        error.is_a?(Timeout::Error) ? "READING_LIST_URL did not answer in #{Fetch::SECONDS} seconds" : error.message.lines.first.to_s.strip[0, 200]
      end

      def read
        kept = JSON.parse(File.read(@path))
        kept.is_a?(Hash) && kept["address"] == @address && kept["items"].is_a?(Array) ? kept : {}
      rescue SystemCallError, JSON::ParserError
        {}
      end

      def write(content)
        FileUtils.mkdir_p(File.dirname(@path))
        partial = "#{@path}.#{Process.pid}"
        File.write(partial, JSON.generate(content))
        File.rename(partial, @path)
      end
    end

    # One document from an address, bounded in time, size and redirects.
    class Fetch
      SECONDS = 5 # for all of it, with redirects
      MAX_BYTES = 512 * 1024
      MAX_REDIRECTS = 3

      Refused = Class.new(StandardError)

      def initialize(address, etag)
        @address, @etag = address, etag
      end

      # :unchanged, or a hash of body and etag.
      def answer
        Timeout.timeout(SECONDS) { get(@address, 0) }
      end

      private

      def get(address, redirects)
        uri = parse(address)
        Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https") do |http|
          http.max_retries = 0
          http.request(request(uri)) { |response| return take(response, uri, redirects) }
        end
      rescue SystemCallError, SocketError, OpenSSL::SSL::SSLError, EOFError => e
        raise Refused, "READING_LIST_URL can't be reached: #{e.message}"
      end

      def parse(address)
        uri = URI.parse(address)
        raise Refused, "READING_LIST_URL is no http or https address" unless uri.is_a?(URI::HTTP) && uri.host

        uri
      rescue URI::InvalidURIError
        raise Refused, "READING_LIST_URL is no address"
      end

      # Without compression: its bound would be on what arrives, not on what it becomes.
      def request(uri)
        Net::HTTP::Get.new(uri, "Accept-Encoding" => "identity", "User-Agent" => "skiff-blog",
                                "Accept" => "application/json, application/feed+json, application/atom+xml, application/rss+xml, */*;q=0.1").tap do |get|
          get["If-None-Match"] = @etag if @etag
          get.basic_auth(*[uri.user, uri.password].map { |part| CGI.unescape(part.to_s) }) if uri.user
        end
      end

      def take(response, uri, redirects)
        case response
        when Net::HTTPNotModified then :unchanged
        when Net::HTTPOK then { body: body(response), etag: response["ETag"] }
        when Net::HTTPRedirection
          raise Refused, "READING_LIST_URL redirects without an end" if redirects == MAX_REDIRECTS

          get(URI.join(uri, response["Location"].to_s).to_s, redirects + 1)
        else raise Refused, "READING_LIST_URL answers #{response.code}"
        end
      end

      def body(response)
        text = +""
        response.read_body do |piece|
          text << piece
          raise Refused, "READING_LIST_URL sends more than #{MAX_BYTES / 1024} KB" if text.bytesize > MAX_BYTES
        end
        text
      end
    end

    # Entries (title, url, author, note) of a document in one of the formats.
    module Entries
      MAX_ENTRIES = 50
      MAX_TEXT = 240
      MAX_ADDRESS = 2000
      MAX_NESTING = 20

      module_function

      def parse(body)
        found = body.lstrip.start_with?("<") ? from_xml(body) : from_json(body)
        good = found.first(10 * MAX_ENTRIES).filter_map { |entry| clean(entry) }.first(MAX_ENTRIES)
        raise Fetch::Refused, "READING_LIST_URL has no entry with a title and an address" if good.empty? && !found.empty?

        good
      end

      def from_json(body)
        document = JSON.parse(body.dup.force_encoding("UTF-8").delete_prefix("\uFEFF").scrub, max_nesting: MAX_NESTING)
        entries = document.is_a?(Hash) ? document["items"] : document
        raise Fetch::Refused, "READING_LIST_URL has JSON that is no list" unless entries.is_a?(Array)

        entries.grep(Hash).map do |entry|
          author = entry["author"] || Array(entry["authors"]).first
          author = author["name"] if author.is_a?(Hash)
          { "title" => entry["title"], "url" => entry["url"] || entry["external_url"], "author" => author,
            "note" => entry["note"] || entry["summary"] }
        end
      rescue JSON::ParserError, ArgumentError
        raise Fetch::Refused, "READING_LIST_URL has neither JSON nor a feed"
      end

      def from_xml(body)
        root = REXML::Document.new(body).root
        channel = root&.name == "rss" ? root.elements.find { |e| e.name == "channel" } : root
        entries = channel ? channel.elements.select { |e| %w[item entry].include?(e.name) } : []
        raise Fetch::Refused, "READING_LIST_URL has neither JSON nor a feed" if entries.empty? && !%w[rss feed RDF].include?(root&.name)

        entries.map { |entry| from_element(entry) }
      rescue REXML::ParseException, ArgumentError, RuntimeError => e
        raise e.is_a?(Fetch::Refused) ? e : Fetch::Refused.new("READING_LIST_URL has XML that can't be read")
      end

      def from_element(entry)
        children = entry.elements.to_a.group_by(&:name)
        text = ->(name) { children[name]&.first&.then { |e| e.texts.map(&:value).join } }
        links = children.fetch("link", [])
        link = links.find { |e| [nil, "alternate"].include?(e.attributes["rel"]) } || links.first
        author = children["author"]&.first
        name = author&.elements&.find { |e| e.name == "name" }&.text
        { "title" => plain(text["title"]), "url" => link && (link.attributes["href"] || link.text),
          "author" => name || text["creator"], "note" => nil }
      end

      # The text of what may be HTML.
      def plain(html)
        html && CGI.unescapeHTML(html.gsub(/<[^<>]*>/, " "))
      end

      def clean(entry)
        title = line(entry["title"])
        url = address(entry["url"])
        { "title" => title, "url" => url, "author" => line(entry["author"]), "note" => line(entry["note"]) } if title && url
      end

      def line(text)
        return unless text.is_a?(String)

        short = text.scrub(" ").gsub(/[[:space:][:cntrl:]]+/, " ").strip
        return if short.empty?

        short.length > MAX_TEXT ? "#{short[0, MAX_TEXT].rstrip}…" : short
      end

      def address(text)
        return unless text.is_a?(String) && text.length <= MAX_ADDRESS

        uri = URI.parse(text.strip)
        uri.to_s if uri.is_a?(URI::HTTP) && uri.host
      rescue URI::InvalidURIError
        nil
      end
    end
  end
end
