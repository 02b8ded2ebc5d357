# frozen_string_literal: true

require "zlib"

module Drawing
  # A picture of one background and a few inks, with smooth edges: every byte is an ink and how much of it is seen.
  # Written as a PNG with a palette (https://www.w3.org/TR/png-3/).
  class Canvas
    CURVE_STEPS = 6
    FAINTEST = 1.0 / 256

    attr_reader :width, :height

    # Colours are [red, green, blue]; `inks` are at most eight.
    def initialize(width, height, background, inks)
      @width, @height = width, height
      @background, @inks = background, inks
      @shades = 256 / inks.size
      @pixels = "\0".b * (width * height)
    end

    # Fills closed polygons of [x, y] together: where their directions differ, the inner one is a hole.
    def fill(polygons, ink)
      points = polygons.flatten(1)
      return if points.empty?

      left, right = points.map(&:first).minmax
      top, bottom = points.map(&:last).minmax
      left, top = [left.floor, 0].max, [top.floor, 0].max
      right, bottom = [right.ceil, @width].min, [bottom.ceil, @height].min
      return if right <= left || bottom <= top

      area = Area.new(right - left, bottom - top)
      polygons.each do |polygon|
        polygon.each_with_index do |(x, y), i|
          to_x, to_y = polygon[(i + 1) % polygon.size]
          area.add_line(x - left, y - top, to_x - left, to_y - top)
        end
      end
      area.each_coverage { |x, y, coverage| blend(left + x, top + y, ink, coverage) }
    end

    # Draws one line of text whose baseline begins at x, y.
    def text(font, size, x, y, string, ink)
      scale = size.to_f / font.units_per_em
      each_glyph(font, string) do |glyph, offset|
        contours = font.outline(glyph).map { |contour| flatten(contour) }
        fill(contours.map { |c| c.map { |px, py| [x + (offset + px) * scale, y - py * scale] } }, ink)
      end
    end

    def text_width(font, size, string)
      last = 0
      each_glyph(font, string) { |glyph, offset| last = offset + font.advance(glyph) }
      last * size.to_f / font.units_per_em
    end

    def to_png
      rows = (0...@height).map { |y| "\0".b + @pixels.byteslice(y * @width, @width) }
      header = [@width, @height, 8, 3, 0, 0, 0].pack("NNCCCCC")
      "\x89PNG\r\n\x1a\n".b + chunk("IHDR", header) + chunk("PLTE", palette) +
        chunk("IDAT", Zlib.deflate(rows.join, Zlib::BEST_COMPRESSION)) + chunk("IEND", "")
    end

    private

    def blend(x, y, ink, coverage)
      shade = (coverage * (@shades - 1)).round
      @pixels.setbyte(y * @width + x, ink * @shades + shade) if shade.positive?
    end

    def each_glyph(font, string)
      offset = 0
      before = nil
      string.each_char do |character|
        glyph = font.glyph(character)
        next unless glyph

        offset += font.kerning(before, glyph) if before
        yield glyph, offset
        offset += font.advance(glyph)
        before = glyph
      end
    end

    # A contour's quadratic curves as short lines. Between two points off the curve lies one on it.
    def flatten(contour)
      points = contour.each_with_index.flat_map do |point, i|
        following = contour[(i + 1) % contour.size]
        middle = TrueType::Point.new((point.x + following.x) / 2.0, (point.y + following.y) / 2.0, true)
        point.on_curve || following.on_curve ? [point] : [point, middle]
      end
      points.rotate!(points.index(&:on_curve) || 0)
      points.each_with_index.flat_map do |point, i|
        next [] if !point.on_curve
        following = points[(i + 1) % points.size]
        next [[point.x, point.y]] if following.on_curve

        curve(point, following, points[(i + 2) % points.size])
      end
    end

    def curve(from, control, to)
      CURVE_STEPS.times.map do |step|
        t = step.to_f / CURVE_STEPS
        a, b, c = (1 - t) * (1 - t), 2 * t * (1 - t), t * t
        [a * from.x + b * control.x + c * to.x, a * from.y + b * control.y + c * to.y]
      end
    end

    def palette
      colours = @inks.flat_map do |ink|
        @shades.times.map do |shade|
          part = shade.to_f / (@shades - 1)
          3.times.map { |i| (@background[i] + (ink[i] - @background[i]) * part).round }
        end
      end
      colours.flatten.pack("C*")
    end

    def chunk(type, data)
      body = type.b + data
      [data.bytesize].pack("N") + body + [Zlib.crc32(body)].pack("N")
    end

    # How much of each cell of a grid lies inside: lines add signed areas, a running sum along a row makes coverage of them.
    class Area
      def initialize(width, height)
        @width, @height = width, height
        @stride = width + 2
        @cells = Array.new(@stride * height, 0.0)
      end

      def add_line(from_x, from_y, to_x, to_y)
        return if from_y == to_y

        direction = from_y < to_y ? 1.0 : -1.0
        from_x, from_y, to_x, to_y = to_x, to_y, from_x, from_y if direction.negative?
        slope = (to_x - from_x) / (to_y - from_y).to_f
        x = from_x - ([from_y, 0].min * slope)
        ([from_y.floor, 0].max...[to_y.ceil, @height].min).each do |row|
          high = [row + 1, to_y].min - [row, from_y, 0].max
          next_x = x + slope * high
          add_row(row, [x, next_x].min, [x, next_x].max, direction * high)
          x = next_x
        end
      end

      def each_coverage
        @height.times do |y|
          sum = 0.0
          @width.times do |x|
            sum += @cells[y * @stride + x]
            coverage = sum.abs
            yield x, y, [coverage, 1.0].min if coverage > FAINTEST
          end
        end
      end

      private

      # A piece of a line within one row, from x `left` to `right`: cells get the change of the area to their right.
      def add_row(row, left, right, area)
        left, right = left.clamp(0, @width), right.clamp(0, @width)
        first, last = left.floor, right.ceil
        at = row * @stride + first
        if last <= first + 1
          middle = (left + right) / 2.0 - first
          @cells[at] += area * (1 - middle)
          @cells[at + 1] += area * middle
          return
        end
        before = 0.0
        change = 0.0
        (first...last).each do |cell|
          # The part of the piece left of the cell's right border, minus half of what lies in the cell.
          inside = covered(left, right, cell)
          value = area * inside
          @cells[row * @stride + cell] += value - change
          change = value
          before = cell
        end
        @cells[row * @stride + before + 1] += area - change
      end

      # The mean over the cell of the share of the piece that has been passed.
      def covered(left, right, cell)
        length = right - left
        start, stop = [left, cell].max, [right, cell + 1].min
        passed_at = ->(x) { (x - left) / length }
        (passed_at[start] + passed_at[stop]) / 2 * (stop - start) + (cell + 1 - stop)
      end
    end
  end
end
