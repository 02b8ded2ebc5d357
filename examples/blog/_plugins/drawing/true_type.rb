# frozen_string_literal: true

module Drawing
  # The outlines, widths and kerning of a TrueType font, read from its tables
  # (https://learn.microsoft.com/typography/opentype/spec/otff). Lengths are in the font's own units.
  class TrueType
    Point = Struct.new(:x, :y, :on_curve)

    ON_CURVE = 0x01
    X_SHORT = 0x02
    Y_SHORT = 0x04
    REPEAT = 0x08
    X_SAME_OR_POSITIVE = 0x10
    Y_SAME_OR_POSITIVE = 0x20

    WORD_ARGUMENTS = 0x0001
    ARGUMENTS_ARE_XY = 0x0002
    ONE_SCALE = 0x0008
    MORE_COMPONENTS = 0x0020
    TWO_SCALES = 0x0040
    TWO_BY_TWO = 0x0080
    MAX_DEPTH = 5 # of glyphs that are made of others

    attr_reader :units_per_em

    def initialize(path)
      @data = File.binread(path)
      count = u16(4)
      @tables = count.times.to_h do |i|
        tag, _sum, offset, length = @data[12 + 16 * i, 16].unpack("a4NNN")
        [tag, { offset: offset, length: length }]
      end
      missing = %w[head maxp loca glyf cmap hhea hmtx].reject { |tag| @tables[tag] }
      raise ArgumentError, "it lacks the tables #{missing.join(', ')}" unless missing.empty?

      @units_per_em = u16(at("head") + 18)
      @long_offsets = i16(at("head") + 50) == 1
      @advances = u16(at("hhea") + 34)
      @characters = read_characters
      @pairs = read_pairs
      @outlines = {}
    end

    # The number of a character's glyph; nil when the font has none.
    def glyph(character)
      @characters[character.ord]
    end

    def advance(glyph)
      u16(at("hmtx") + 4 * [glyph, @advances - 1].min)
    end

    def kerning(left, right)
      @pairs.fetch((left << 16) | right, 0)
    end

    # Closed contours of Points.
    def outline(glyph)
      @outlines[glyph] ||= read_outline(glyph, 0)
    end

    private

    def at(tag)
      @tables.fetch(tag)[:offset]
    end

    def u8(offset)
      @data.getbyte(offset) || raise(ArgumentError, "it ends early")
    end

    def u16(offset)
      (u8(offset) << 8) | u8(offset + 1)
    end

    def u32(offset)
      (u16(offset) << 16) | u16(offset + 2)
    end

    def i16(offset)
      value = u16(offset)
      value > 0x7fff ? value - 0x10000 : value
    end

    def i8(offset)
      value = u8(offset)
      value > 0x7f ? value - 0x100 : value
    end

    # cmap, format 4: segments of the Basic Multilingual Plane.
    def read_characters
      table = at("cmap")
      subtable = u16(table + 2).times.map { |i| table + u32(table + 4 + 8 * i + 4) }.find { |offset| u16(offset) == 4 }
      raise ArgumentError, "it has no character map of format 4" unless subtable

      segments = u16(subtable + 6) / 2
      ends = subtable + 14
      starts = ends + 2 * segments + 2
      found = {}
      segments.times do |i|
        first, last = u16(starts + 2 * i), u16(ends + 2 * i)
        delta = u16(starts + 2 * segments + 2 * i)
        range_at = starts + 4 * segments + 2 * i
        range = u16(range_at)
        (first..last).each do |code|
          glyph = range.zero? ? code : u16(range_at + range + 2 * (code - first))
          glyph = (glyph + delta) & 0xffff unless glyph.zero?
          found[code] = glyph unless glyph.zero? || code == 0xffff
        end
      end
      found
    end

    # kern, format 0: pairs of glyphs.
    def read_pairs
      return {} unless @tables["kern"]

      table = at("kern")
      return {} unless u16(table).zero? && u16(table + 2).positive? && (u16(table + 8) >> 8).zero?

      u16(table + 10).times.to_h do |i|
        pair = table + 18 + 6 * i
        [u32(pair), i16(pair + 4)]
      end
    end

    def glyph_offset(glyph)
      start = @long_offsets ? u32(at("loca") + 4 * glyph) : 2 * u16(at("loca") + 2 * glyph)
      stop = @long_offsets ? u32(at("loca") + 4 * glyph + 4) : 2 * u16(at("loca") + 2 * glyph + 2)
      start == stop ? nil : at("glyf") + start
    end

    def read_outline(glyph, depth)
      offset = glyph_offset(glyph)
      return [] if offset.nil? || depth > MAX_DEPTH

      contours = i16(offset)
      contours.negative? ? read_composite(offset + 10, depth) : read_simple(offset + 10, contours)
    end

    def read_simple(offset, contours)
      ends = contours.times.map { |i| u16(offset + 2 * i) }
      return [] if ends.empty?

      offset += 2 * contours
      offset += 2 + u16(offset) # instructions
      flags, offset = read_flags(offset, ends.last + 1)
      xs, offset = read_coordinates(offset, flags, X_SHORT, X_SAME_OR_POSITIVE)
      ys, = read_coordinates(offset, flags, Y_SHORT, Y_SAME_OR_POSITIVE)
      points = flags.each_index.map { |i| Point.new(xs[i], ys[i], flags[i] & ON_CURVE != 0) }
      ends.each_with_index.map { |last, i| points[(i.zero? ? 0 : ends[i - 1] + 1)..last] }
    end

    def read_flags(offset, count)
      flags = []
      while flags.size < count
        flag = u8(offset)
        offset += 1
        times = 1
        if flag & REPEAT != 0
          times += u8(offset)
          offset += 1
        end
        flags.concat([flag] * times)
      end
      [flags.first(count), offset]
    end

    def read_coordinates(offset, flags, short, same_or_positive)
      value = 0
      values = flags.map do |flag|
        if flag & short != 0
          value += flag & same_or_positive != 0 ? u8(offset) : -u8(offset)
          offset += 1
        elsif flag & same_or_positive == 0
          value += i16(offset)
          offset += 2
        end
        value
      end
      [values, offset]
    end

    def read_composite(offset, depth)
      contours = []
      loop do
        flags = u16(offset)
        part = read_outline(u16(offset + 2), depth + 1)
        offset += 4
        words = flags & WORD_ARGUMENTS != 0
        dx, dy = words ? [i16(offset), i16(offset + 2)] : [i8(offset), i8(offset + 1)]
        dx = dy = 0 if flags & ARGUMENTS_ARE_XY == 0
        offset += words ? 4 : 2
        a, b, c, d, offset = read_scale(offset, flags)
        contours.concat(part.map do |points|
          points.map { |p| Point.new(a * p.x + c * p.y + dx, b * p.x + d * p.y + dy, p.on_curve) }
        end)
        break if flags & MORE_COMPONENTS == 0
      end
      contours
    end

    def read_scale(offset, flags)
      fixed = ->(position) { i16(position) / 16_384.0 }
      if flags & ONE_SCALE != 0
        [fixed[offset], 0, 0, fixed[offset], offset + 2]
      elsif flags & TWO_SCALES != 0
        [fixed[offset], 0, 0, fixed[offset + 2], offset + 4]
      elsif flags & TWO_BY_TWO != 0
        [fixed[offset], fixed[offset + 2], fixed[offset + 4], fixed[offset + 6], offset + 8]
      else
        [1, 0, 0, 1, offset]
      end
    end
  end
end
