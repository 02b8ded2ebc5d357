# frozen_string_literal: true

require "digest"
require "fileutils"
require_relative "drawing/canvas"
require_relative "drawing/true_type"

module Blog
  # Draws the picture that a post has when it is shared (https://ogp.me): its title, set in type, 1200 by 630.
  # Pictures stay in the build's cache under a digest of what they are drawn from, so that a post that did not change costs nothing.
  class OgImages < Jekyll::Generator
    safe true
    priority :lowest # after the archives, whose pages get the blog's own picture

    FOLDER = "assets/og"
    CACHE = ".jekyll-cache/og-images"
    SOURCES = [__FILE__, File.expand_path("drawing/canvas.rb", __dir__), File.expand_path("drawing/true_type.rb", __dir__)].freeze

    def generate(site)
      @site = site
      @cache = site.in_source_dir(CACHE)
      @used = []
      path = font_path
      return unless path

      drawn_by = Digest::SHA256.hexdigest(SOURCES.map { |source| File.binread(source) }.join + path)
      @card = Card.new(path, site.config["title"])
      site.posts.docs.each { |post| illustrate(post, slug(post), post.data["title"], post.data["categories"].first, drawn_by) }
      illustrate_pages(drawn_by)
      sweep
    end

    private

    def font_path
      fonts = @site.config.fetch("og_image", {}).fetch("fonts", [])
      found = fonts.map { |font| @site.in_source_dir(font) }.find { |font| File.file?(font) } ||
              fonts.find { |font| font.start_with?("/") && File.file?(font) }
      return found if found

      Jekyll.logger.warn "OG images:", "left out, for none of og_image.fonts in _config.yml is here: #{fonts.join(', ')}"
      nil
    end

    def illustrate(page, name, title, category, drawn_by)
      page.data["image"] ||= picture(name, title, category, drawn_by)
    end

    def illustrate_pages(drawn_by)
      pages = @site.pages.select { |page| page.html? && !page.data["image"] }
      return if pages.empty?

      image = picture("blog", @site.config["tagline"], nil, drawn_by)
      pages.each { |page| page.data["image"] = image }
    end

    def slug(post)
      Jekyll::Utils.slugify(post.data["slug"] || post.basename_without_ext)
    end

    # The picture of these words, from the cache or drawn, as one of the site's files; what seo and feeds say of it.
    def picture(name, title, category, drawn_by)
      digest = Digest::SHA256.hexdigest([title, category, @site.config["title"], drawn_by].join("\0"))[0, 12]
      file = "#{name}-#{digest}.png"
      path = File.join(@cache, FOLDER, file)
      keep(path) { @card.draw(title, category) } unless File.size?(path)
      @used << file
      @site.static_files << Jekyll::StaticFile.new(@site, @cache, FOLDER, file)
      { "path" => "/#{FOLDER}/#{file}", "width" => Card::WIDTH, "height" => Card::HEIGHT, "alt" => title }
    end

    # Whole or not at all: a build may be stopped at any moment.
    def keep(path)
      FileUtils.mkdir_p(File.dirname(path))
      partial = "#{path}.#{Process.pid}"
      File.binwrite(partial, yield)
      File.rename(partial, path)
    end

    def sweep
      folder = File.join(@cache, FOLDER)
      return unless File.directory?(folder)

      (Dir.children(folder) - @used).each { |file| File.delete(File.join(folder, file)) }
    end
  end

  # What a picture looks like.
  class Card
    WIDTH = 1200
    HEIGHT = 630
    MARGIN = 80
    WIDEST = WIDTH - 2 * MARGIN
    SIZES = [92, 80, 68, 58, 48].freeze
    MAX_LINES = 4
    LEADING = 1.14

    NIGHT = [11, 43, 54].freeze
    PAPER, SEA, FOAM = 0, 1, 2
    INKS = [[251, 250, 246], [23, 92, 108], [127, 203, 217]].freeze

    # The mark of _includes/mark.html: two sails and a hull, on a square of 32. Each corner is [x, y], each curve to it
    # [control x, control y, x, y].
    SAILS = [[[15, 3], [15, 21], [5.5, 21], [7, 9, 15, 3]], [[17, 8.5], [23.2, 12.6, 24.5, 21], [17, 21]]].freeze
    HULL = [[2.5, 23], [29.5, 23], [27.8, 28.5, 22.9, 28.5], [9.1, 28.5], [4.2, 28.5, 2.5, 23]].freeze
    CURVE_STEPS = 16

    def initialize(font_path, blog)
      @font_path, @blog = font_path, blog
    end

    def draw(title, category)
      @canvas = Drawing::Canvas.new(WIDTH, HEIGHT, NIGHT, INKS)
      draw_water
      draw_mark(WIDTH - 300, 314, 7.5)
      draw_title(title.gsub("'", "’").gsub(/"([^"]*)"/, "“\\1”"))
      foot = [@blog, category&.capitalize].compact.join("  ·  ")
      @canvas.text(font, 30, MARGIN, HEIGHT - 62, foot, FOAM)
      @canvas.to_png
    end

    private

    # Read when the first picture is drawn: most builds draw none.
    def font
      @font ||= Drawing::TrueType.new(@font_path)
    rescue ArgumentError => e
      raise Jekyll::Errors::FatalException, "#{@font_path} can't be read: #{e.message}. Name another TrueType font in _config.yml, og_image.fonts"
    end

    def draw_title(title)
      size, lines = set(title)
      lines.each_with_index { |line, i| @canvas.text(font, size, MARGIN, 150 + i * size * LEADING, line, PAPER) }
    end

    # The largest size at which the title fits, and its lines.
    def set(title)
      SIZES.each do |size|
        lines = wrap(title, size, WIDEST)
        return [size, balance(title, size, lines)] if lines.size <= (size > 68 ? 3 : MAX_LINES)
      end
      lines = wrap(title, SIZES.last, WIDEST).first(MAX_LINES)
      [SIZES.last, lines[0...-1] + ["#{lines.last} …"]]
    end

    # As many lines, of lengths that differ less.
    def balance(title, size, lines)
      (WIDEST / 2).step(WIDEST, 20).each do |width|
        even = wrap(title, size, width)
        return even if even.size == lines.size && even.all? { |line| @canvas.text_width(font, size, line) <= width }
      end
      lines
    end

    def wrap(title, size, width)
      title.split.each_with_object([]) do |word, lines|
        longer = lines.empty? ? word : "#{lines.last} #{word}"
        if lines.empty? || @canvas.text_width(font, size, longer) > width
          lines << word
        else
          lines[-1] = longer
        end
      end
    end

    def draw_mark(x, y, scale)
      place = ->(shape) { trace(shape).map { |px, py| [x + px * scale, y + py * scale] } }
      SAILS.each_with_index { |sail, i| @canvas.fill([place[sail]], i.zero? ? PAPER : FOAM) }
      @canvas.fill([place[HULL]], PAPER)
    end

    # The points of a shape, its curves as short lines.
    def trace(shape)
      shape.each_with_object([]) do |(*control, x, y), points|
        next points << [x, y] if control.empty?

        from = points.last
        (1..CURVE_STEPS).each do |step|
          t = step.to_f / CURVE_STEPS
          points << [0, 1].map { |i| (1 - t)**2 * from[i] + 2 * t * (1 - t) * control[i] + t * t * [x, y][i] }
        end
      end
    end

    # Waves right across, below the boat's water line.
    def draw_water
      upper = (0..WIDTH).step(12).map { |x| [x, 522 + 7 * Math.sin(x / 46.0)] }
      @canvas.fill([upper + upper.reverse.map { |x, y| [x, y + 4] }], SEA)
    end
  end
end
